// The worker that arranges: a task in, places out, so that no arrangement ever holds up the page.
import { arrange, type Spots, type Task } from './arrange';

export interface Asked {
  number: number;
  task: Task;
}

export interface Answered {
  number: number;
  spots: Spots;
}

self.addEventListener('message', (event: MessageEvent<Asked>) => {
  const { number, task } = event.data;
  const answer: Answered = { number, spots: arrange(task) };
  self.postMessage(answer);
});
