// The components that every page may use, in order of dependency. Styles come with them.
import './tokens.css';
import './base.css';
import './controls.css';
import './blocks.css';

export * from './format';
export * from './theme';
export * from './icon';
export * from './button';
export * from './copy';
export * from './status';
export * from './time';
export * from './feedback';
export * from './field';
export * from './filter';
export * from './table';
export * from './list';
export * from './dialog';
export * from './form';
export * from './tabs';
export * from './json';
export * from './code';
export * from './secret';
export * from './pager';
export * from './sparkline';
export * from './chart';
export * from './page';
