// Said to a viewer in the place of what only an admin can press.
import { Icon } from '@/ui/icon';
import { isAdmin } from './session';

/** `what`: “create services”. Renders nothing for an admin. */
export function ReadOnly({ what }: { what: string }) {
  if (isAdmin()) return null;
  return (
    <span class="row gap-xs faint small" title="Your role is viewer. An admin can change it: Settings, Accounts.">
      <Icon name="info" size={14} /> read-only: only an admin can {what}
    </span>
  );
}
