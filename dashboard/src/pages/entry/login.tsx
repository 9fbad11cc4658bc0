// Logging in. Comes back to where one was: a path of this console only, which `enter` sees to.
import { useEffect, useState } from 'preact/hooks';
import { PasswordField, SubmitButton } from '@/account/form';
import { request } from '@/api/client';
import { ApiError } from '@/api/problem';
import type { Session } from '@/api/types';
import { enter, standing } from '@/app/session';
import { navigate, safePath } from '@/route/router';
import { Field, Input, Note, queryValue } from '@/ui';
import { EntryFrame } from './frame';

const WORDS: Record<number, string> = { 401: 'The name or the password is wrong.', 429: 'Too many wrong tries. The button says how long to wait.' };

export function Login() {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [waitUntil, setWaitUntil] = useState(0);
  const next = safePath(queryValue('next'), '/');
  const here = standing.value === 'here';
  useEffect(() => {
    if (here) navigate(next, { replace: true });
  }, [here]);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      enter(await request<Session>('/session', { method: 'POST', body: { username, password }, nobodyIsFine: true }));
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(WORDS[problem.status] ?? problem.detail);
      setWaitUntil(problem.retryAfterMs ? Date.now() + problem.retryAfterMs : 0);
      if (problem.status === 401) setPassword('');
    } finally {
      setBusy(false);
    }
  };

  return (
    <EntryFrame title="Log in">
      {queryValue('expired') === 'true' && <Note>Your session has ended. Log in and go on where you were.</Note>}
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <Field label="Name">
          {(aria) => <Input {...aria} name="username" autocomplete="username" autocapitalize="none" value={username} onText={setUsername} autofocus required />}
        </Field>
        <PasswordField label="Password" name="password" autocomplete="current-password" value={password} onText={setPassword} error={error} required />
        <SubmitButton word="Log in" busy={busy} waitUntilUnixMs={waitUntil} />
      </form>
      <p class="small faint">
        Forgotten? Whoever can open the runtime’s data folder sets a new one: <code>bridge account password NAME</code>
      </p>
    </EntryFrame>
  );
}
