// Said to a viewer where there is nothing to see for one.
import { session } from '@/app/session';
import { Empty } from '@/ui';
import { SettingsFrame } from './frame';

export function AdminsOnly({ what }: { what: string }) {
  return (
    <SettingsFrame>
      <Empty icon="account" title={`Only an admin sees ${what}`}>
        <p>You are logged in as {session.value?.username}, a viewer. An admin can change your role under Accounts.</p>
      </Empty>
    </SettingsFrame>
  );
}
