// Metrics: rate, errors and durations of what runs, and any metric that is reported.
import { definePage } from '@/pages/page';
import { Explore } from './explore';
import { RedOfServices } from './services';
import './metrics.css';

export default definePage({
  id: 'metrics',
  title: 'Metrics',
  icon: 'metrics',
  order: 50,
  routes: [
    { path: '/metrics', view: RedOfServices },
    { path: '/metrics/explore', view: Explore },
  ],
});
