// Traces: the list of what was done, and one of them as a waterfall.
import { definePage } from '@/pages/page';
import '@/telemetry/telemetry.css';
import { Trace } from './detail';
import { Traces } from './list';
import './list.css';
import './detail.css';
import './panel.css';

export default definePage({
  id: 'traces',
  title: 'Traces',
  icon: 'traces',
  order: 20,
  routes: [
    { path: '/traces', view: Traces },
    { path: '/traces/:id', view: Trace },
  ],
});
