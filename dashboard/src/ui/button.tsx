// Buttons. `IconButton` has a label that is read and shown on hover. A link that looks like a button is <a class="button">.
import type { ComponentChildren, ButtonHTMLAttributes } from 'preact';
import { Icon, type IconName } from './icon';

type Rest = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'class' | 'icon' | 'size' | 'disabled' | 'type'> & { disabled?: boolean; type?: 'button' | 'submit' };

interface ButtonProps extends Rest {
  look?: 'plain' | 'primary' | 'danger' | 'quiet';
  icon?: IconName;
  /** Shows that it works and cannot be pressed again. */
  busy?: boolean;
  children?: ComponentChildren;
}

export function Button({ look = 'plain', icon, busy, children, disabled, type = 'button', ...rest }: ButtonProps) {
  return (
    <button class={`button ${look}`} type={type} disabled={(disabled || busy) ?? false} aria-busy={busy ?? false} {...rest}>
      {busy ? <span class="spinner" aria-hidden="true" /> : icon ? <Icon name={icon} /> : null}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

interface IconButtonProps extends Rest {
  icon: IconName;
  label: string;
  pressed?: boolean;
}

export function IconButton({ icon, label, pressed, type = 'button', ...rest }: IconButtonProps) {
  const state = pressed === undefined ? {} : { 'aria-pressed': pressed };
  return (
    <button class="button quiet square" type={type} aria-label={label} title={label} {...state} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
