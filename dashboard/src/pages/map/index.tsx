// The map: services, their calls, and how they are, live.
import { definePage } from '@/pages/page';
import { MapPage } from './page';

export default definePage({ id: 'map', title: 'Map', icon: 'map', order: 10, routes: [{ path: '/', view: MapPage }] });
