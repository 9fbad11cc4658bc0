// The first start: makes the first admin. Needs the token that the runtime printed; a link with `#token=…` fills it in, and the
// token leaves the address bar at once so that it is in no history, screenshot or bookmark.
import { useEffect, useState } from 'preact/hooks';
import { PasswordField, SubmitButton } from '@/account/form';
import { nameFault, passwordFault, setupField, tokenOf, type EntryField } from '@/account/rules';
import { get, request } from '@/api/client';
import { ApiError } from '@/api/problem';
import type { Session } from '@/api/types';
import { enter, standing } from '@/app/session';
import { navigate, place } from '@/route/router';
import { Field, Input, Note } from '@/ui';
import { EntryFrame } from './frame';

type Faults = Partial<Record<EntryField, string | null>>;

export function Setup() {
  const [token, setToken] = useState(() => tokenOf(place.peek().hash));
  const [fromLink, setFromLink] = useState(token !== '');
  const [username, setUsername] = useState('admin');
  const [password, setPassword] = useState('');
  const [faults, setFaults] = useState<Faults>({});
  const [busy, setBusy] = useState(false);
  const [waitUntil, setWaitUntil] = useState(0);
  const [done, setDone] = useState(false);
  const { hash } = place.value;

  useEffect(() => {
    if (standing.peek() === 'here') navigate('/', { replace: true });
    else void get<{ required: boolean }>('/setup').then((it) => setDone(!it.required)).catch(() => {});
  }, []);
  useEffect(() => {
    const found = tokenOf(hash);
    if (!found) return;
    setToken(found);
    setFromLink(true);
    navigate('/setup', { replace: true });
  }, [hash]);

  const submit = async (event: Event) => {
    event.preventDefault();
    const found: Faults = { token: token ? null : 'Enter the token.', username: nameFault(username), password: passwordFault(password) };
    setFaults(found);
    if (busy || Object.values(found).some((it) => it)) return;
    setBusy(true);
    try {
      enter(await request<Session>('/setup', { method: 'POST', body: { token: token.trim(), username, password }, nobodyIsFine: true }));
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      const field = setupField(problem);
      setFaults({ [field]: problem.detail });
      if (field === 'token') setFromLink(false);
      if (problem.status === 409 && field === 'form') setDone(true);
      setWaitUntil(problem.retryAfterMs ? Date.now() + problem.retryAfterMs : 0);
    } finally {
      setBusy(false);
    }
  };

  if (done) return <AlreadySetUp />;
  return (
    <EntryFrame title="Set up the console">
      <p class="dim">Make the first admin. Everybody else gets an account from an admin.</p>
      {faults.form && <Note tone="bad">{faults.form}</Note>}
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <Field label="Setup token" hint={fromLink ? 'Taken from the link you opened.' : null} error={faults.token ?? null}>
          {(aria) => <Input {...aria} name="token" value={token} onText={setToken} autofocus={!fromLink} />}
        </Field>
        {!fromLink && <WhereIsTheToken />}
        <Field label="Name" hint="a–z, 0–9, “.”, “_” and “-”" error={faults.username ?? null}>
          {(aria) => <Input {...aria} name="username" autocomplete="username" autocapitalize="none" value={username} onText={setUsername} />}
        </Field>
        <PasswordField
          label="Password"
          name="password"
          autocomplete="new-password"
          hint="At least 12 characters: a sentence is easy to remember and hard to guess."
          value={password}
          onText={setPassword}
          error={faults.password ?? null}
          autofocus={fromLink}
        />
        <SubmitButton word="Make the admin and log in" busy={busy} waitUntilUnixMs={waitUntil} />
      </form>
    </EntryFrame>
  );
}

function WhereIsTheToken() {
  return (
    <div class="en-where small">
      <p>
        The runtime prints a link with the token when it starts, until there is an admin: on the terminal of <code>bridge dev</code>, in the log of{' '}
        <code>bridge serve</code>. Each start makes a new one. Look for <code>/setup#token=…</code>
      </p>
    </div>
  );
}

function AlreadySetUp() {
  return (
    <EntryFrame title="Already set up">
      <p class="dim">There is an admin, so the setup token is of no use any more.</p>
      <a class="button primary" href="/login">
        Log in
      </a>
    </EntryFrame>
  );
}
