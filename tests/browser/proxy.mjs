// A line between the browser and the runtime that a test can freeze or cut, as networks do.

import net from 'node:net';

export class Proxy {
  /** Listens on a free port of loopback and hands everything to `target`, `host:port`. */
  static async start(target) {
    const proxy = new Proxy();
    const colon = target.lastIndexOf(':');
    proxy.target = { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };
    proxy.state = 'open';
    proxy.pairs = new Set();
    proxy.server = net.createServer((near) => proxy.accept(near));
    await new Promise((done) => proxy.server.listen(0, '127.0.0.1', done));
    proxy.origin = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  accept(near) {
    if (this.state === 'cut') return near.destroy();
    const far = net.connect(this.target);
    const pair = { near, far };
    this.pairs.add(pair);
    const end = () => {
      this.pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end).setNoDelay(true);
    near.pipe(far);
    far.pipe(near);
    if (this.state === 'frozen') this.still(pair);
    return undefined;
  }

  still({ near, far }) {
    near.unpipe(far).pause();
    far.unpipe(near).pause();
  }

  /** Connections stay, and nothing passes. */
  freeze() {
    this.state = 'frozen';
    for (const pair of this.pairs) this.still(pair);
  }

  /** Connections break, and new ones are refused. */
  cut() {
    this.state = 'cut';
    for (const { near, far } of [...this.pairs]) {
      near.destroy();
      far.destroy();
    }
  }

  /** As in the beginning; what froze goes on where it was. */
  heal() {
    this.state = 'open';
    for (const { near, far } of this.pairs) {
      near.pipe(far);
      far.pipe(near);
    }
  }

  close() {
    this.cut();
    this.server.close();
  }
}
