// Settings, accounts, tokens, changes, doctor, about, and one's own account.
import { definePage } from '@/pages/page';
import { About } from './about';
import { OwnAccount } from './account';
import { Accounts } from './accounts';
import { Doctor } from './doctor';
import { Settings } from './settings';
import { Tokens } from './tokens';
import { Changes } from './trail';
import './settings.css';

export default definePage({
  id: 'settings',
  title: 'Settings',
  icon: 'settings',
  order: 90,
  routes: [
    { path: '/settings', view: Settings },
    { path: '/settings/accounts', view: Accounts },
    { path: '/settings/tokens', view: Tokens },
    { path: '/settings/changes', view: Changes },
    { path: '/settings/doctor', view: Doctor },
    { path: '/settings/about', view: About },
    { path: '/account', view: OwnAccount },
  ],
});
