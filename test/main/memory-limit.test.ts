import test from 'ava'
import { leastLimit, limitFiles, processMemory } from '../../src/main/memory-limit.ts'

test('the limits of control groups stand in the own group and in those around it', (t) => {
  t.deepEqual(limitFiles('0::/kubepods.slice/pod1\n'), [
    '/sys/fs/cgroup/kubepods.slice/pod1/memory.max',
    '/sys/fs/cgroup/kubepods.slice/memory.max',
    '/sys/fs/cgroup/memory.max'
  ])
  t.deepEqual(limitFiles('0::/\n'), ['/sys/fs/cgroup/memory.max'])
})

test('version 1 has the limits of memory in a tree of their own', (t) => {
  t.deepEqual(limitFiles('5:cpu,cpuacct:/docker/a\n4:memory:/docker/a\n1:name=systemd:/\n'), [
    '/sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes',
    '/sys/fs/cgroup/memory/docker/memory.limit_in_bytes',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes'
  ])
  t.deepEqual(limitFiles('5:cpu,memory:/\n'), ['/sys/fs/cgroup/memory/memory.limit_in_bytes'])
})

test('where there is no control group there is no file to look at', (t) => {
  t.deepEqual(limitFiles(''), [])
  t.deepEqual(limitFiles('nonsense'), [])
})

test('the least limit counts, and what is none or more than the machine has does not', (t) => {
  const machine = 8 * 2 ** 30
  t.is(leastLimit(['max\n', '536870912\n', '1073741824\n', undefined], machine), 536_870_912)
  t.is(leastLimit(['max\n', undefined, '', 'garbage', '0'], machine), undefined)
  t.is(leastLimit(['9223372036854771712\n'], machine), undefined)
  t.is(leastLimit([], machine), undefined)
})

test('what the configuration says goes before all that is found', (t) => {
  const { limitBytes, budget } = processMemory({ memoryBytes: 512 * 2 ** 20 })
  t.deepEqual([limitBytes, budget.bytesMax], [512 * 2 ** 20, 64 * 2 ** 20])
  t.true(processMemory({ memoryBytes: null }).limitBytes > 0)
})
