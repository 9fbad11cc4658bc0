// One setting: name, meaning, value. Switches and choices apply at once; what is typed applies on Enter or “Save”.
import { useEffect, useRef, useState } from 'preact/hooks';
import { put } from '@/api/client';
import { ApiError } from '@/api/problem';
import { isAdmin } from '@/app/session';
import { Button, Select, StatusBadge, Switch, toast } from '@/ui';
import { besides, faultOf, isChanged, meaning, nextValue, shownValue, withUnit, wordsOf, writeValue, type Setting } from './values';

export function SettingRow({ setting, onDone }: { setting: Setting; onDone: () => void }) {
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { text, unused } = meaning(setting.doc);

  /** Resolves to whether the runtime took it. `null` sets the default again. */
  const save = async (value: string | null): Promise<boolean> => {
    setBusy(true);
    setFault(null);
    try {
      await put(`/settings/${encodeURIComponent(setting.key)}`, { value });
      const shown = shownValue(setting, value ?? setting.default);
      toast(setting.requires_restart ? `${setting.key}: ${shown} from the next start` : `${setting.key}: ${shown}`);
      onDone();
      return true;
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setFault(problem.detail);
      return false;
    } finally {
      setBusy(false);
    }
  };

  return (
    <div class={`st-row ${isChanged(setting) ? 'changed' : ''}`}>
      <div class="st-about">
        <h3 class="st-key mono" id={`${setting.key}-name`}>
          {setting.key}
        </h3>
        <p class="dim" id={`${setting.key}-doc`}>
          {text}
        </p>
        <p class="faint small">
          {bounds(setting)} · default {shownValue(setting, setting.default)}
          {setting.requires_restart && ' · read at start'}
          {unused && (
            <span class="st-unused" title={`${unused}.`}>
              not used yet
            </span>
          )}
        </p>
      </div>
      <div class="st-value">
        {isAdmin() ? <Editor key={setting.kind} setting={setting} busy={busy} fault={fault} onSave={save} onTyped={() => setFault(null)} /> : <ReadValue setting={setting} />}
        <Marks setting={setting} busy={busy} onReset={() => void save(null)} />
      </div>
    </div>
  );
}

function bounds(setting: Setting): string {
  if (setting.kind === 'integer' && setting.min !== null && setting.max !== null) {
    const [low, high] = [withUnit(setting, setting.min), withUnit(setting, setting.max)];
    // “16 to 1,000,000 connections”: a unit that both have is said once.
    return low.endsWith(` ${setting.unit}`) && high.endsWith(` ${setting.unit}`) ? `${low.slice(0, -(setting.unit?.length ?? 0) - 1)} to ${high}` : `${low} to ${high}`;
  }
  return setting.kind === 'switch' ? 'on or off' : setting.bounds;
}

function Marks({ setting, busy, onReset }: { setting: Setting; busy: boolean; onReset: () => void }) {
  const changed = isChanged(setting);
  if (!changed && setting.pending === null) return null;
  return (
    <div class="row wrap gap-xs st-marks">
      {setting.pending !== null && (
        <StatusBadge tone="warn" title="This value is read when the runtime starts">
          now {shownValue(setting, setting.value)}, {shownValue(setting, setting.pending)} from the next start
        </StatusBadge>
      )}
      {changed && <span class="st-tag small">changed</span>}
      {changed && isAdmin() && (
        <Button look="quiet" disabled={busy} onClick={onReset}>
          Reset
        </Button>
      )}
    </div>
  );
}

function ReadValue({ setting }: { setting: Setting }) {
  return <span class="st-read">{shownValue(setting, nextValue(setting))}</span>;
}

interface EditorProps {
  setting: Setting;
  busy: boolean;
  fault: string | null;
  onSave: (value: string | null) => Promise<boolean>;
  onTyped: () => void;
}

function Editor(props: EditorProps) {
  const { setting, busy, fault, onSave } = props;
  const value = nextValue(setting);
  const note = fault && (
    <p class="bad small" role="alert">
      {fault}
    </p>
  );
  if (setting.kind === 'switch') {
    return (
      <>
        <Switch on={value === 'true'} label={setting.key} bare disabled={busy} onTurn={(on) => void onSave(String(on))} />
        {note}
      </>
    );
  }
  if (setting.kind === 'choice') {
    const options = (setting.choices ?? []).map((it): [string, string] => [it, it]);
    return (
      <>
        <Select aria-label={setting.key} aria-describedby={`${setting.key}-doc`} value={value} options={options} disabled={busy} onPick={(it) => void onSave(it)} />
        {note}
      </>
    );
  }
  return <TypedEditor {...props} />;
}

/** For numbers, texts and lists of words. Shows what others changed unless one is typing, and then says so. */
function TypedEditor({ setting, busy, fault, onSave, onTyped }: EditorProps) {
  const stored = nextValue(setting);
  const shown = setting.kind === 'words' ? stored.split(',').join(', ') : stored;
  const [draft, setDraft] = useState<string | null>(null);
  const began = useRef(stored);
  useEffect(() => {
    if (draft === null) began.current = stored;
  }, [stored, draft]);
  const text = draft ?? shown;
  const dirty = draft !== null && writeValue(setting, draft) !== stored;
  const wrong = fault ?? (dirty ? (faultOf(setting, draft) ?? null) : null);
  const meanwhile = draft !== null && began.current !== stored;
  const beside = besides(setting.unit, writeValue(setting, text));

  const save = async (event: Event) => {
    event.preventDefault();
    if (!dirty || busy || faultOf(setting, draft)) return;
    if (await onSave(writeValue(setting, draft))) setDraft(null);
  };
  const common = {
    class: 'input',
    'aria-label': setting.key,
    'aria-describedby': `${setting.key}-doc ${setting.key}-note`,
    'aria-invalid': wrong !== null,
    spellcheck: false,
    autocomplete: 'off',
    value: text,
    onBlur: () => {
      if (draft !== null && !dirty) setDraft(null);
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === 'Escape' && draft !== null) {
        event.stopPropagation();
        setDraft(null);
        onTyped();
      }
    },
  };
  const typed = (next: string) => {
    setDraft(next);
    onTyped();
  };
  return (
    <form class="st-editor" onSubmit={(event) => void save(event)}>
      <div class="row">
        {setting.kind === 'words' ? (
          <textarea {...common} rows={Math.min(5, Math.ceil(text.length / 38) || 1)} onInput={(event) => typed(event.currentTarget.value)} />
        ) : (
          <input {...common} inputMode={setting.kind === 'integer' && !setting.unit ? 'numeric' : 'text'} onInput={(event) => typed(event.currentTarget.value)} />
        )}
        {setting.kind === 'integer' && setting.unit && <span class="faint st-unit">{setting.unit}</span>}
      </div>
      <div class="row wrap st-editor-foot" id={`${setting.key}-note`} aria-live="polite">
        {wrong ? <span class="bad small grow">{wrong}</span> : <span class="dim small grow">{beside ? `= ${beside}` : setting.kind === 'words' && dirty ? `${wordsOf(text).length} words` : ''}</span>}
        {dirty && (
          <>
            <Button look="quiet" onClick={() => (setDraft(null), onTyped())}>
              Cancel
            </Button>
            <Button look="primary" type="submit" busy={busy} disabled={wrong !== null}>
              Save
            </Button>
          </>
        )}
      </div>
      {meanwhile && <p class="small st-meanwhile">Changed meanwhile by somebody else: {shownValue(setting, stored)}</p>}
    </form>
  );
}
