// Services: the list, each one, and their keys.
import { definePage } from '@/pages/page';
import { Service } from './detail';
import { Services } from './list';
import './services.css';

export default definePage({
  id: 'services',
  title: 'Services',
  icon: 'services',
  order: 40,
  routes: [
    { path: '/services', view: Services },
    { path: '/services/:name', view: Service },
  ],
});
