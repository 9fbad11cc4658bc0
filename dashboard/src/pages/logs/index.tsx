// Logs: what services wrote, as it is written.
import { definePage } from '@/pages/page';
import '@/telemetry/telemetry.css';
import { Logs } from './list';
import './logs.css';

export default definePage({
  id: 'logs',
  title: 'Logs',
  icon: 'logs',
  order: 30,
  routes: [{ path: '/logs', view: Logs }],
});
