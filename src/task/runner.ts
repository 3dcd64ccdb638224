import { isParcomoloError } from '../base/index.ts'
import { type Membership, placeName, type TopicPartition, type TopicSpec } from '../log/index.ts'
import type { Component } from './component.ts'
import { archiveTopic, recordsToRead, snapshotTopic } from './snapshots.ts'
import { Task } from './task.ts'
import type { TaskDeps } from './task-deps.ts'
import { Turns } from './turns.ts'

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
  { topic: snapshotTopic(component.name), partitions, cleanup: 'compact', isCache: true },
  { topic: archiveTopic(component.name), partitions, cleanup: 'compact', isCache: true }
]

/** What a task tells of itself. */
export type RunningTask = Pick<Task<unknown>, 'stats' | 'entityCount' | 'sleepingCount' | 'unanswered' | 'lanesPutOff'>

/** The tasks of one component that this process has been given. */
export type Runner = {
  readonly tasks: ReadonlyMap<string, RunningTask>
  /** Resolves when an assignment works for the first time; rejects when something fails for good before that. */
  readonly ready: Promise<void>
  /** Ends the tasks and begins them again, since the component has changed what it reads. */
  renew(): void
  /** Also before it is ready. */
  stop(): Promise<void>
}

/** Joins the component's group and runs a task for each journal partition that it is given. */
export const runComponent = <S>(component: Component<S>, deps: TaskDeps): Runner => {
  const tasks = new Map<string, Task<S>>()
  const partitions = deps.log.partitionCount(component.journal)
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic: component.journal, partition }))
  /** Assignments are carried out one after the other, in the order in which they come. */
  let carriedOut = Promise.resolve()
  let stopping = false
  const first = Promise.withResolvers<void>()
  first.promise.catch(() => undefined)
  let latest: readonly TopicPartition[] = []
  const turns = new Turns(recoveriesMax)
  /** Whoever waits for the first assignment hears it, too: the other tasks may never get to work. */
  const onFailure = (error: unknown): void => {
    first.reject(error)
    deps.onFailure(error)
  }
  const hosting: Hosting<S> = { component, tasks, deps: { ...deps, turns, onFailure }, onFenced: () => onFenced() }
  const carryOutLatest = (left?: Promise<unknown>): void => {
    const carryOut = async (): Promise<void> => {
      await left
      if (stopping) return
      const toRead = await recordsToReadOf(hosting, latest)
      if (stopping) return
      const mine = latest
      await startGained(hosting, mine, toRead)
      if (mine === latest) first.resolve()
    }
    carriedOut = carriedOut.then(carryOut).catch(onFailure)
  }
  /** Another owner had the partition; if the group says that it belongs here all the same, it is taken back. */
  const onFenced = (): void => {
    const takeBack = async (): Promise<void> => {
      await (await membership).confirm()
      carryOutLatest()
    }
    deps.clock.at(deps.clock.now() + takeBackPauseMs, () => void takeBack().catch(deps.onFailure))
  }
  const assign = (mine: readonly TopicPartition[]): void => {
    latest = mine
    carryOutLatest(stopLost(tasks, mine))
  }
  const membership = deps.log.join(`parcomolo-${component.name}`, places, assign)
  let cancelReport = (): void => undefined
  const reportLater = (member: Membership): void => {
    cancelReport = deps.clock.at(deps.clock.now() + reportEveryMs, () => {
      member.report([...tasks.values()].flatMap((task) => task.nexts()))
      reportLater(member)
    })
  }
  const ready = async (): Promise<void> => {
    const joined = await membership
    await first.promise
    if (!stopping) reportLater(joined)
  }
  return {
    tasks,
    ready: ready(),
    renew: () => carryOutLatest(stopLost(tasks, [])),
    stop: async () => {
      stopping = true
      cancelReport()
      await Promise.all([...tasks.values()].map((task) => task.stop()))
      await carriedOut
      await membership.then(
        (joined) => joined.leave(),
        () => undefined
      )
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

/**
 * At once, whatever is still being carried out: a task that waits in its start, for a registry that is away, would hold
 * that up.
 */
const stopLost = <S>(tasks: Map<string, Task<S>>, mine: readonly TopicPartition[]): Promise<unknown> => {
  const wanted = new Set(mine.map(placeName))
  const lost = [...tasks].filter(([name]) => !wanted.has(name))
  for (const [name] of lost) tasks.delete(name)
  return Promise.all(lost.map(([, task]) => task.stop()))
}

/**
 * Partitions of a component that are read at a time: one is decoded while the next bytes of the others are under way.
 * All side by side would hold so many times the memory, and none would be at work before nearly all are.
 */
const recoveriesMax = 3

const gainedOf = <S>({ tasks }: Hosting<S>, mine: readonly TopicPartition[]): TopicPartition[] =>
  mine.filter((place) => !tasks.has(placeName(place)))

/** By the name of the place; of none where the order does not matter. */
const recordsToReadOf = async <S>(
  hosting: Hosting<S>,
  mine: readonly TopicPartition[]
): Promise<ReadonlyMap<string, number>> => {
  const { deps, component } = hosting
  const gained = gainedOf(hosting, mine)
  if (gained.length <= recoveriesMax) return new Map()
  return new Map(
    await Promise.all(
      gained.map(async (place) => [placeName(place), await recordsToRead(deps.log, component.name, place)] as const)
    )
  )
}

/** Those with the least to read first. */
const startGained = async <S>(
  hosting: Hosting<S>,
  mine: readonly TopicPartition[],
  toRead: ReadonlyMap<string, number>
): Promise<void> => {
  const recordsOf = (place: TopicPartition): number => toRead.get(placeName(place)) ?? 0
  const gained = gainedOf(hosting, mine).sort((a, b) => recordsOf(a) - recordsOf(b))
  await Promise.all(gained.map((place) => startTask(hosting, placeName(place), place)))
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
