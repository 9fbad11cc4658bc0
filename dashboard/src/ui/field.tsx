// Form fields: each has a label, an optional hint, and a place for what is wrong with it, tied together for screen readers.
import type { ComponentChildren, HTMLAttributes, Ref } from 'preact';
import { useId } from 'preact/hooks';
import { Icon, type IconName } from './icon';

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | null;
  children: (aria: { id: string; 'aria-describedby': string; 'aria-invalid': boolean }) => ComponentChildren;
}

/** `<Field label="Name" error={error}>{(aria) => <Input {...aria} value=… />}</Field>` */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-more`, 'aria-invalid': Boolean(error) })}
      <div id={`${id}-more`} class="small" aria-live="polite">
        {error ? <span class="bad">{error}</span> : <span class="faint">{hint}</span>}
      </div>
    </div>
  );
}

interface InputProps extends Omit<HTMLAttributes<HTMLInputElement>, 'class' | 'icon' | 'role'> {
  class?: string;
  type?: 'text' | 'search' | 'password' | 'number' | 'datetime-local';
  value?: string;
  placeholder?: string;
  name?: string;
  disabled?: boolean;
  required?: boolean;
  readOnly?: boolean;
  autocomplete?: string;
  maxLength?: number;
  min?: number | string;
  max?: number | string;
  step?: number | string;
  inputMode?: 'text' | 'numeric' | 'decimal';
  list?: string;
  ref?: Ref<HTMLInputElement>;
  icon?: IconName;
  onText?: (text: string) => void;
}

/** One line of text. `onText` gets it as it is typed. */
export function Input({ icon, onText, class: look, ...rest }: InputProps) {
  const input = <input class={`input ${look ?? ''}`} spellcheck={false} autocomplete="off" {...(rest as object)} onInput={(event) => onText?.(event.currentTarget.value)} />;
  if (!icon) return input;
  return (
    <span class="input-with-icon">
      <Icon name={icon} size={14} />
      {input}
    </span>
  );
}

interface SelectProps {
  value: string;
  options: readonly (readonly [value: string, label: string])[];
  onPick: (value: string) => void;
  /** Somebody is about to choose. */
  onFocus?: () => void;
  onPointerEnter?: () => void;
  id?: string;
  disabled?: boolean;
  'aria-label'?: string;
  'aria-describedby'?: string;
  'aria-invalid'?: boolean;
}

export function Select({ value, options, onPick, ...rest }: SelectProps) {
  return (
    <select class="input select" {...rest} value={value} onChange={(event) => onPick(event.currentTarget.value)}>
      {options.map(([it, label]) => (
        <option key={it} value={it} selected={it === value}>
          {label}
        </option>
      ))}
    </select>
  );
}

/** An on/off switch; `label` is read aloud, and shown unless `bare`. */
export function Switch({ on, label, bare, disabled, onTurn }: { on: boolean; label: string; bare?: boolean; disabled?: boolean; onTurn: (on: boolean) => void }) {
  return (
    <button class="switch" type="button" role="switch" aria-checked={on} aria-label={label} disabled={disabled ?? false} onClick={() => onTurn(!on)}>
      <span class="switch-track" aria-hidden="true" />
      {!bare && <span>{label}</span>}
    </button>
  );
}

/** Two to six choices side by side, one of them chosen; arrow keys move. */
export function Segments<T extends string>({ value, label, options, onPick }: { value: T; label: string; options: readonly (readonly [T, string])[]; onPick: (value: T) => void }) {
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = options[options.findIndex(([it]) => it === value) + step];
    if (!step || !next) return;
    event.preventDefault();
    onPick(next[0]);
    const group = event.currentTarget as HTMLElement;
    requestAnimationFrame(() => group.querySelector<HTMLElement>('[aria-checked=true]')?.focus());
  };
  return (
    <div class="segments" role="radiogroup" aria-label={label} onKeyDown={move}>
      {options.map(([it, word]) => (
        <button key={it} type="button" role="radio" aria-checked={it === value} tabIndex={it === value ? 0 : -1} onClick={() => onPick(it)}>
          {word}
        </button>
      ))}
    </div>
  );
}
