// Runs before the first paint, so that a chosen theme does not flash: see src/ui/theme.ts, which owns the key.
try {
  var chosen = localStorage.getItem('bridge.theme');
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is refused: the system's preference applies.
}
