// Login and first setup: the pages for whoever is nobody yet.
import { definePage } from '@/pages/page';
import './entry.css';
import { Login } from './login';
import { Setup } from './setup';

export default definePage({
  id: 'entry',
  bare: true,
  routes: [
    { path: '/login', view: Login },
    { path: '/setup', view: Setup },
  ],
});
