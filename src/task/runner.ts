import { isParcomoloError } from '../base/index.ts'
import { placeName, type TopicPartition, type TopicSpec } from '../log/index.ts'
import type { Component } from './component.ts'
import { archiveTopic, snapshotTopic } from './snapshots.ts'
import { Task, type TaskDeps, type TaskStats } from './task.ts'

/**
 * The topics that a component's tasks write or are written to, for `ensureTopics`; the journal's partitions set those
 * of all.
 */
export const topicsOf = (
  component: Pick<Component<unknown>, 'name' | 'journal' | 'inbox'>,
  partitions: number
): TopicSpec[] => [
  { topic: component.journal, partitions, cleanup: 'delete', retention: 'forever' },
  ...(component.inbox === undefined ? [] : [{ topic: component.inbox, partitions, cleanup: 'delete' as const }]),
  { topic: snapshotTopic(component.name), partitions, cleanup: 'compact' },
  { topic: archiveTopic(component.name), partitions, cleanup: 'compact' }
]

/** The tasks of one component that this process has been given. */
export type Runner = {
  readonly tasks: ReadonlyMap<string, { readonly stats: TaskStats; readonly entityCount: number }>
  stop(): Promise<void>
}

/**
 * Joins the component's group and runs a task for each journal partition that it is given; resolves when the first
 * assignment works.
 */
export const runComponent = async <S>(component: Component<S>, deps: TaskDeps): Promise<Runner> => {
  const tasks = new Map<string, Task<S>>()
  const partitions = deps.log.partitionCount(component.journal)
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic: component.journal, partition }))
  /** Assignments are carried out one after the other, in the order in which they come. */
  let carriedOut = Promise.resolve()
  let stopping = false
  const first = Promise.withResolvers<void>()
  let latest: readonly TopicPartition[] = []
  const carryOutLatest = (): void => {
    carriedOut = carriedOut
      .then(() => (stopping ? undefined : carryOut({ component, tasks, deps, onFenced }, latest)))
      .then(first.resolve, (error: unknown) => {
        first.reject(error)
        deps.onFailure(error)
      })
  }
  /** Another owner had the partition; if the group says that it belongs here all the same, it is taken back. */
  const onFenced = (): void => {
    const takeBack = async (): Promise<void> => {
      await (await joined).confirm()
      carryOutLatest()
    }
    deps.clock.at(deps.clock.now() + takeBackPauseMs, () => void takeBack().catch(deps.onFailure))
  }
  const assign = (mine: readonly TopicPartition[]): void => {
    latest = mine
    carryOutLatest()
  }
  const joined = deps.log.join(`parcomolo-${component.name}`, places, assign)
  const membership = await joined
  await first.promise
  const report = (): void => {
    if (stopping) return
    membership.report([...tasks.values()].flatMap((task) => task.nexts()))
    cancelReport = deps.clock.at(deps.clock.now() + reportEveryMs, report)
  }
  let cancelReport = deps.clock.at(deps.clock.now() + reportEveryMs, report)
  return {
    tasks,
    stop: async () => {
      stopping = true
      cancelReport()
      await carriedOut
      await Promise.all([...tasks.values()].map((task) => task.stop()))
      await membership.leave()
    }
  }
}

/** Two who take a partition for theirs, until the group has told them, take turns this slowly. */
const takeBackPauseMs = 200
/** Lag that tools show is at most this old. */
const reportEveryMs = 2_000

type Hosting<S> = {
  readonly component: Component<S>
  readonly tasks: Map<string, Task<S>>
  readonly deps: TaskDeps
  readonly onFenced: () => void
}

const carryOut = async <S>(hosting: Hosting<S>, mine: readonly TopicPartition[]): Promise<void> => {
  const { tasks } = hosting
  const wanted = new Map(mine.map((place) => [placeName(place), place]))
  const lost = [...tasks].filter(([name]) => !wanted.has(name))
  await Promise.all(lost.map(([name, task]) => task.stop().then(() => tasks.delete(name))))
  const gained = [...wanted].filter(([name]) => !tasks.has(name))
  await Promise.all(gained.map(([name, place]) => startTask(hosting, name, place)))
}

/** A fenced task has another owner now, so it just goes; that is no failure of the process. */
const startTask = async <S>(hosting: Hosting<S>, name: string, place: TopicPartition): Promise<void> => {
  const { component, tasks, deps, onFenced } = hosting
  const onFailure = (error: unknown): void => {
    if (!isParcomoloError(error, 'PARCOMOLO_LOG_FENCED')) return deps.onFailure(error)
    tasks.delete(name)
    void task.stop().then(onFenced)
  }
  const task: Task<S> = new Task(component, place, { ...deps, onFailure })
  tasks.set(name, task)
  try {
    await task.start()
  } catch (error) {
    onFailure(error)
  }
}
