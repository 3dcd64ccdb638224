import { isDeepStrictEqual } from 'node:util'
import { type OrderEvent, type Question, questionsOf } from './restart-orders.ts'
import { questionName, RestartStage, type Start } from './restart-stage.ts'

/** What a start finds beside the journal. */
export type Found = 'nothing' | 'snapshots' | 'archive' | 'lost'

export type RestartRun = {
  readonly found: Found
  readonly events: number
  readonly start: Start
  readonly answersMs: number
  /** By the name of its question. */
  readonly answers: ReadonlyMap<string, OrderEvent>
  /** The names of the questions that were not answered as they have to be, silence included. */
  readonly wrong: readonly string[]
}

/** Starts the component once with each of these in turn, over the same history. */
export const runRestarts = async function* (brokers: readonly string[], count: number): AsyncGenerator<RestartRun> {
  const stage = await RestartStage.open(brokers, count)
  try {
    const events = await stage.write()
    const run = async (found: Found, number: number): Promise<RestartRun> => {
      // The first start takes snapshots as soon as it can, and the others only of what is long.
      const start = await stage.start({ snapshotEveryMs: found === 'nothing' ? 500 : never })
      const askedAt = performance.now()
      const questions = questionsOf(stage.history, number)
      const answers = await stage.ask(questions)
      const answersMs = performance.now() - askedAt
      return { ...{ found, events, start, answersMs, answers }, wrong: wrongOf(questions, answers) }
    }
    yield await run('nothing', 1)
    await stage.snapshots()
    await stage.stop()
    yield await run('snapshots', 2)
    await stage.stop()
    await stage.forget('snapshots')
    yield await run('archive', 3)
    await stage.stop()
    await stage.forget('snapshots and archive')
    yield await run('lost', 4)
    await stage.stop()
  } finally {
    await stage.close()
  }
}

const never = 3_600_000

const wrongOf = (questions: readonly Question[], answers: ReadonlyMap<string, OrderEvent>): string[] =>
  questions
    .filter((question) => !isDeepStrictEqual(answers.get(questionName(question)), question.answer))
    .map(questionName)
