// A component that renders again only when one of its properties is another.
import { Component, h, type ComponentType, type VNode } from 'preact';

export function memo<P extends object>(Body: (props: P) => VNode | null): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const keys = Object.keys(next) as (keyof P)[];
      return keys.some((key) => next[key] !== (this.props as P)[key]);
    }

    override render() {
      return h(Body as ComponentType<P>, this.props as P);
    }
  };
}
