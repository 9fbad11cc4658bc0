// One's own account: who one is, another password, the way out.
import { useState } from 'preact/hooks';
import { PasswordField, SubmitButton } from '@/account/form';
import { passwordFault, passwordField, type EntryField } from '@/account/rules';
import { put } from '@/api/client';
import { ApiError } from '@/api/problem';
import { leave, session } from '@/app/session';
import { Button, Facts, Note, Section, toast, useNow } from '@/ui';
import { SettingsFrame } from './frame';
import { Until } from './until';

const ROLE_WORDS = { admin: 'admin: sees and changes everything', viewer: 'viewer: sees everything but accounts and tokens, changes nothing' };

export function OwnAccount() {
  const it = session.value;
  const now = useNow();
  if (!it) return null;
  return (
    <SettingsFrame>
      <Section title={it.username}>
        <Facts
          facts={[
            ['Role', ROLE_WORDS[it.role]],
            ['Session ends', it.expires_at_unix_ms ? <Until at={it.expires_at_unix_ms} now={now} /> : 'never'],
          ]}
        />
        {it.via === 'session' && (
          <p class="st-out">
            <Button icon="exit" onClick={() => void leave()}>
              Log out
            </Button>
          </p>
        )}
      </Section>
      <Section title="Password">
        {it.via === 'session' ? <ChangePassword username={it.username} /> : <Note>You did not log in: this page came over the operator’s socket or with a token, which have no password.</Note>}
      </Section>
    </SettingsFrame>
  );
}

function ChangePassword({ username }: { username: string }) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [faults, setFaults] = useState<Partial<Record<EntryField, string | null>>>({});
  const [busy, setBusy] = useState(false);
  const [waitUntil, setWaitUntil] = useState(0);
  const submit = async (event: Event) => {
    event.preventDefault();
    const found = { current: current ? null : 'Enter your present password.', password: passwordFault(next) };
    setFaults(found);
    if (busy || found.current || found.password) return;
    setBusy(true);
    try {
      await put('/session/password', { current, new: next });
      toast('Your password is changed; your other sessions have ended');
      setCurrent('');
      setNext('');
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setFaults({ [passwordField(problem)]: problem.detail });
      setWaitUntil(problem.retryAfterMs ? Date.now() + problem.retryAfterMs : 0);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="stack st-password" onSubmit={(event) => void submit(event)}>
      {faults.form && <Note tone="bad">{faults.form}</Note>}
      <input class="hidden-text" type="text" name="username" autocomplete="username" value={username} readOnly tabIndex={-1} aria-hidden="true" />
      <PasswordField label="Present password" name="current" autocomplete="current-password" value={current} onText={setCurrent} error={faults.current ?? null} />
      <PasswordField label="New password" name="new" autocomplete="new-password" hint="At least 12 characters" value={next} onText={setNext} error={faults.password ?? null} />
      <div>
        <SubmitButton word="Change the password" busy={busy} waitUntilUnixMs={waitUntil} />
      </div>
    </form>
  );
}
