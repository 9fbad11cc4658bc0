// The field for a password, and the button of a form that may have to wait.
import type { ComponentChildren, ComponentProps } from 'preact';
import { useState } from 'preact/hooks';
import { Button, Field, Input, useNow } from '@/ui';
import { secondsLeft } from './rules';
import './account.css';

type PasswordProps = Omit<ComponentProps<typeof Input>, 'icon' | 'label' | 'type'> & {
  label: string;
  value: string;
  onText: (text: string) => void;
  error?: string | null;
  hint?: ComponentChildren;
};

/** A password that can be looked at while one types it. */
export function PasswordField({ label, error, hint, ...rest }: PasswordProps) {
  const [seen, setSeen] = useState(false);
  return (
    <Field label={label} hint={hint} error={error ?? null}>
      {(aria) => (
        <span class="ac-password">
          <Input {...rest} {...aria} type={seen ? 'text' : 'password'} />
          <button class="ac-see small" type="button" aria-label={`${seen ? 'Hide' : 'Show'} ${label.toLowerCase()}`} aria-pressed={seen} onClick={() => setSeen(!seen)}>
            {seen ? 'Hide' : 'Show'}
          </button>
        </span>
      )}
    </Field>
  );
}

/** The button of a form; while one has to wait it counts down and cannot be pressed. */
export function SubmitButton({ word, busy, waitUntilUnixMs }: { word: string; busy: boolean; waitUntilUnixMs: number }) {
  // By our own clock, by which the wait was set: the beat only counts down.
  useNow();
  const left = secondsLeft(waitUntilUnixMs, Date.now());
  return (
    <Button look="primary" type="submit" busy={busy} disabled={left > 0}>
      {left > 0 ? `Wait ${left} s` : word}
    </Button>
  );
}
