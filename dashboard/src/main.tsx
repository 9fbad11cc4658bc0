// The beginning: theme, errors, routes, then who one is; and the first paint as early as possible.
import { render } from 'preact';
import '@/ui';
import './app/app.css';
import { App } from './app/app';
import { startBoundary } from './app/boundary';
import { startSession } from './app/session';
import { startRouter } from './route/router';
import { startSlash } from './ui/filter';
import { startTheme } from './ui/theme';

startBoundary();
startTheme();
startRouter();
startSlash();
render(<App />, document.getElementById('app')!);
void startSession();
