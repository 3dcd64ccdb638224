import { courierErrorCodes } from './courier-error-codes.ts'
import { httpErrorCodes } from './http-error-codes.ts'
import { sagaErrorCodes } from './saga-error-codes.ts'

/**
 * Every code that a user can meet, with its cause and its remedy: `PARCOMOLO_<ROOM>_<WHAT>`, grouped by room.
 * The test `test/errors.test.ts` holds this list against the code: nothing is thrown that is not here, nothing here is
 * dead.
 */
export const errorCodes = {
  PARCOMOLO_LOG_FENCED: {
    cause: 'Another owner has claimed this journal partition, so this one may no longer write to it.',
    remedy: 'None is needed: the task stops here and goes on at its new owner.'
  },
  PARCOMOLO_LOG_CLOSED: {
    cause: 'The log was closed while the call was under way.',
    remedy: 'None at a normal stop; otherwise look for the error that stopped the process.'
  },
  PARCOMOLO_LOG_DATA_UNUSABLE: {
    cause: 'The data folder cannot be made, read or written.',
    remedy: 'Give the folder to the user that runs Parcomolo, or name another one in PARCOMOLO_DATA.'
  },
  PARCOMOLO_LOG_IN_USE: {
    cause: 'Another process has the data folder open.',
    remedy: 'Stop the process that the message names, or name another folder in PARCOMOLO_DATA.'
  },
  PARCOMOLO_LOG_CORRUPT: {
    cause:
      'A file of the log is damaged in a place that had been stored safely, or ends before what had been stored: by a disk, by a hand, or since the folder was copied while a process wrote to it. The start changes nothing in it.',
    remedy:
      "Look after the disk, and take a backup back with 'parcomolo restore FOLDER'. Without one, 'parcomolo repair' tells what would be lost, and 'parcomolo repair --accept-loss' goes on with what is left. Make backups with 'parcomolo backup FOLDER', also while it runs; a plain copy of a folder is whole only while no process has it open."
  },
  PARCOMOLO_LOG_FORMAT_UNKNOWN: {
    cause: 'The data folder was written by a version that stores the log in another way.',
    remedy: 'Start the version that wrote it.'
  },
  PARCOMOLO_LOG_STALLED: {
    cause: 'The disk does not take what is to be written, for example because it is full.',
    remedy: 'Free space or mend the disk; the log tries again every second and goes on by itself.'
  },
  PARCOMOLO_LOG_FULL: {
    cause: 'The disk does not take anything, and so much waits for it that no more is accepted.',
    remedy: 'Free space or mend the disk, then send the same again.'
  },
  PARCOMOLO_LOG_FAILED: {
    cause: 'The disk has failed to store what was written (fsync), so it may be gone.',
    remedy: 'Mend the disk and start again: what was acknowledged before is there.'
  },
  PARCOMOLO_LOG_UNKNOWN_TOPIC: {
    cause: 'A topic or partition was used that has not been declared.',
    remedy: 'Name the topic to ensureTopics first, with enough partitions.'
  },
  PARCOMOLO_LOG_TOPIC_MISMATCH: {
    cause:
      'A topic exists with another number of partitions, or is set up so that the log could lose or change what is in it.',
    remedy:
      'Set PARTITIONS as it was, or begin with another data folder or KAFKA_PREFIX; on Kafka the message has the commands that cure the rest.'
  },
  PARCOMOLO_LOG_BATCH_REFUSED: {
    cause: 'A batch is empty, or longer than the log takes.',
    remedy: 'Append fewer records at once.'
  },
  PARCOMOLO_LOG_UNREACHABLE: {
    cause: 'No broker of the Kafka cluster answers, or one that is needed has not answered for a while.',
    remedy:
      'Check KAFKA_BROKERS and the brokers. A running process goes on by itself when they are back; nothing is lost.'
  },
  PARCOMOLO_LOG_REFUSED: {
    cause: 'The Kafka cluster refuses a request for good: credentials or rights are missing.',
    remedy:
      'Give the user of KAFKA_SASL_USERNAME the rights that the message names (topics, groups, transactional ids).'
  },
  PARCOMOLO_LOG_TOPIC_MISSING: {
    cause: 'Topics are not there, and this process may not make them; or one was deleted while it ran.',
    remedy: 'Make them with the commands in the message, or let this user make topics.'
  },
  PARCOMOLO_LOG_BATCH_UNREADABLE: {
    cause:
      'A batch of records is damaged, becomes too long when it is unpacked, or is packed in a way that is unknown.',
    remedy:
      'Nothing waits for it: one dead letter stands for its records. Find its producer by the topic and the offsets, ' +
      'and let it send them again.'
  },
  PARCOMOLO_LOG_OUT_OF_RANGE: {
    cause: 'A partition does not have what was to be read next: it was deleted too early, or the topic was made anew.',
    remedy:
      "Restore the topic. Of a participant's inbox or events topic the loss can be accepted instead, with the command " +
      'that the message names; all that does not need that topic goes on meanwhile.'
  },
  PARCOMOLO_CONTRACT_INVALID: {
    cause: "A participant's file breaks a rule of YAML, of a Participant's fields, or of its Avro protocol.",
    remedy:
      'Each line of the message names file, line and column, what stands there, and what was expected: mend them all.'
  },
  PARCOMOLO_CONTRACT_IN_USE: {
    cause:
      'A contract that was saved lacks, or a participant that was taken away has, what a saga needs that is in force, or on whose revision instances still run; the message has the saga, the revision and the place.',
    remedy:
      'Change it in steps: add what is new, publish sagas that do without the old, wait until what runs has ended, then take the old away. What was in force stays, at the next start too.'
  },
  PARCOMOLO_CONTRACT_CONFLICT: {
    cause:
      "Two participants share something that has to be their own (name, namespace, inbox or events topic), or one has taken a name that is Parcomolo's own or Kafka's.",
    remedy: 'Rename it in one of the two files that the message names, or in the one that has taken it.'
  },
  PARCOMOLO_CONTRACT_UNKNOWN_RECORD: {
    cause: 'A value was to be written as a record that no contract names.',
    remedy: 'Use the full name of a record of a contract; the message names the nearest one.'
  },
  PARCOMOLO_CONTRACT_VALUE_MISMATCH: {
    cause: 'A value does not fit the Avro record that it was to be written as.',
    remedy: 'The message names the field and what it takes: correct the value, or the contract.'
  },
  PARCOMOLO_CONTRACT_MALFORMED: {
    cause:
      'Bytes that were to be a value in the Confluent wire format are not: wrong first byte, too short, too long, or no value of their schema.',
    remedy: 'Find out who wrote the record; use a serializer for Avro with a schema registry.'
  },
  PARCOMOLO_CONTRACT_LONG_OVERFLOW: {
    cause: 'A value holds a long beyond 2^53, which a number in JavaScript cannot hold exactly.',
    remedy: 'Keep longs within 2^53, or make the field a string.'
  },
  PARCOMOLO_CONTRACT_UNKNOWN_SCHEMA: {
    cause: 'A value names a schema id that this process has not learnt.',
    remedy: 'See that the writer uses the same schema registry, and that the registry still has the schema.'
  },
  PARCOMOLO_CONTRACT_SCHEMA_REFUSED: {
    cause: "A schema that a record was written with is no valid Avro, or today's contract cannot read it.",
    remedy: 'Give every field that was added a default, or bring back the type that was changed.'
  },
  ...sagaErrorCodes,
  ...courierErrorCodes,
  ...httpErrorCodes,
  PARCOMOLO_REGISTRY_INCOMPATIBLE: {
    cause: 'A changed record cannot read what was written with its latest version (compatibility BACKWARD).',
    remedy: 'Give an added field a default, keep the types of the others, or use a new record name.'
  },
  PARCOMOLO_REGISTRY_INVALID_SCHEMA: {
    cause: 'What was to be registered, or what the registry holds, is no Avro schema that is complete in itself.',
    remedy: 'Define every named type where it is first used; what others register belongs under subjects of their own.'
  },
  PARCOMOLO_REGISTRY_UNKNOWN_ID: {
    cause: 'No schema was registered under this id, or this user may not read it.',
    remedy:
      'See that whoever wrote the record uses this registry, that its data was not deleted, and that this user may read its subject.'
  },
  PARCOMOLO_REGISTRY_BROKEN: {
    cause: 'The file with the schemas in the data folder is not what this program wrote.',
    remedy: "Take it back with 'parcomolo restore'; without it the records of the log cannot be read."
  },
  PARCOMOLO_REGISTRY_UNAVAILABLE: {
    cause:
      'The schema registry does not answer, denies what is asked, or is READONLY; or the file with the schemas in the data folder cannot be read or written.',
    remedy:
      'Look after the registry, its URL with the base path, its mode, and the credentials; for the file, make room or grant the right. What runs waits for it; a start that was ended, start again.'
  },
  PARCOMOLO_TASK_JOURNAL_UNREADABLE: {
    cause:
      'A record in the own journal of a component cannot be decoded: somebody else wrote to it, or its schema is gone.',
    remedy:
      'The message names the reason. Find out who wrote the record, for a journal belongs to its component alone; or give back the registry with the schemas that it was written with. Its task does not start before.'
  },
  PARCOMOLO_TASK_LOG_LOST: {
    cause:
      'A journal or an input ends before what its snapshots stand for, or what was read of it: records that had been stored are gone, or the topic was deleted and made anew. Whoever waited there for more would pass it over in silence.',
    remedy:
      "Bring the records back: on the embedded log with 'parcomolo restore FOLDER', on Kafka from a replica or a backup. To go on deliberately with what is left: on the embedded log 'parcomolo repair --accept-loss', on Kafka delete the topics COMPONENT-snapshots and COMPONENT-archive, so that the journal is folded anew."
  },
  PARCOMOLO_TASK_INPUT_TOO_LARGE: {
    cause:
      'What follows from one input is journaled as one batch, and is larger than a batch may be. The state is as if the input had not come.',
    remedy:
      'Let its sender put less into it (a large document belongs into a store of its own), or let fewer events follow from it.'
  },
  PARCOMOLO_TASK_ENTITY_TOO_LARGE: {
    cause:
      'What a component keeps of one entity, such as the answers that a saga may still read, is larger than a batch.',
    remedy:
      'Nothing is lost, but no snapshot is whole until it has ended. Let participants answer with less, and keep large documents elsewhere.'
  },
  PARCOMOLO_TASK_INPUT_MALFORMED: {
    cause: 'A record on an inbox has no key or no value, or a header of a command that is not what it has to be.',
    remedy: 'Mend its sender; what the message names is wrong, and the dead letter has all that was sent.'
  },
  PARCOMOLO_TASK_INPUT_MISPLACED: {
    cause: "A command stands in a partition of its inbox that Kafka's own partitioner does not give its key.",
    remedy:
      'Let its sender use murmur2 (librdkafka: partitioner=murmur2_random); parcomolo dead-letters resend brings what there is to the right partition.'
  },
  PARCOMOLO_TASK_INPUT_OTHER_KEY: {
    cause:
      'A command stands under another key than that of the entity which it is for: its contract marks the field with @key. The task that has read it does not have that entity, so nothing is decided on it.',
    remedy:
      'Let its sender use what that field holds as key of the record, and send the command again; its letter resent would be refused again.'
  },
  PARCOMOLO_TASK_INPUT_NOT_A_COMMAND: {
    cause:
      "A record on an inbox can be read, but it is none of the commands that the inbox's component takes: its full name counts, or that its schema resolves into the contract's.",
    remedy: 'Send it to the inbox of the participant whose contract has the command, in the schema of that contract.'
  },
  PARCOMOLO_TASK_INPUT_UNDECIDABLE: {
    cause:
      'A component has failed over an input, so nothing follows from it: a record is a dead letter, and an entity whose timer it was stands still until something else happens to it. All others go on.',
    remedy:
      'Look at what the record holds, and mend its sender; where that is as the contract says, report it with the message and the stack of its line in the log.'
  },
  PARCOMOLO_ORCHESTRATOR_REVISION_MISSING: {
    cause:
      'An instance is pinned to a revision of its saga that is not (or no longer usably) among the published definitions. It is parked; all others go on.',
    remedy:
      'Publish that revision again, or give the contract back what the message names; the instance then goes on by itself.'
  },
  PARCOMOLO_ORCHESTRATOR_KEY_FAILED: {
    cause:
      "The expression under 'start.key' or 'cancel.key' of a saga fails on an event, or gives an empty text. The event begins, or cancels, nothing in that saga; all others have it.",
    remedy:
      'Guard the expression, for instance with size(…) > 0 or has(…), and save the saga; parcomolo_saga_events_passed_over_total counts what it has missed.'
  },
  PARCOMOLO_MAIN_ID_SECRET_UNUSABLE: {
    cause: 'The file id-secret in the data folder cannot be read, or was cut or changed.',
    remedy:
      'Restore it from a backup. Without it, delete it: orders are safe, but a request that repeats an Idempotency-Key of before places a new one.'
  },
  PARCOMOLO_MAIN_CANNOT_LISTEN: {
    cause: 'The address or port of the REST interface is in use, not allowed, or not of this machine.',
    remedy: 'Set PORT (0 takes any free port) and PARCOMOLO_HOST, or stop the process that has the port.'
  },
  PARCOMOLO_FILE_UNREADABLE: {
    cause:
      'A file that sagas or participants are expected in is none (a folder, a pipe, a device), is too large, has gone, or may not be read.',
    remedy: 'Put a file of YAML in its place, or rename it so that its name does not end with .yaml or .yml.'
  },
  PARCOMOLO_FILE_ENCODING: {
    cause: 'A file holds bytes that are no UTF-8, so nobody can tell which characters are meant.',
    remedy: 'Save it in UTF-8: the message names the line and the column of the first such byte.'
  },
  PARCOMOLO_SAGA_NAMED_TWICE: {
    cause: 'Two files have a saga, or a participant, of the same name, so nobody can tell which one is meant.',
    remedy: 'Rename one of the two, or delete a file. What was in force before stays until then.'
  },
  PARCOMOLO_MAIN_SAGAS_UNREADABLE: {
    cause: 'The folder with the sagas and their participants does not exist or may not be read.',
    remedy: 'Start in the project folder, or set PARCOMOLO_SAGAS to the folder that holds the sagas.'
  },
  PARCOMOLO_MAIN_FLOW_MIXED: {
    cause: 'Processes of one installation (one KAFKA_PREFIX on one cluster) have different values of FLOW.',
    remedy:
      'Give all of them the same. To change the flow of an installation, let its orders end, end all processes, delete the topic that the message names, and start them with the other one.'
  },
  PARCOMOLO_MAIN_LOG_SILENT: {
    cause: 'A command of a person has waited for the log, and for so long nothing came that it has given up.',
    remedy:
      'Look after the brokers that the message names, and repeat the command; a resend may then send some letters again, with the same id.'
  },
  PARCOMOLO_MAIN_PARTICIPANT_OF_RELEASE: {
    cause: "A Participant of the shop's own services has another contract than the one that their code was built with.",
    remedy: 'Install the release that has this contract; to change it, change the code and generate its types anew.'
  },
  PARCOMOLO_MAIN_VIEW_UNAVAILABLE: {
    cause: 'The operator asks the read model how many sagas run, and gets no answer.',
    remedy: "Start a process with the role 'view', and set PARCOMOLO_VIEW_URL of the operator to its address."
  },
  PARCOMOLO_MAIN_BACKUP_REFUSED: {
    cause:
      'A backup, a restore or a repair was asked for where it cannot be: on Kafka, of a folder that is none, or onto one that holds something.',
    remedy:
      'Name an empty or new folder to copy to, and one that holds data to copy from; move away what is in the way. On Kafka, back up the topics by the means of the cluster.'
  },
  PARCOMOLO_MAIN_DEAD_LETTER_UNKNOWN: {
    cause: 'A dead letter was named that there is not.',
    remedy: "Take a number that 'parcomolo dead-letters list' shows."
  },
  PARCOMOLO_MAIN_DEAD_LETTER_STAYS: {
    cause:
      "A dead letter cannot be sent back: it comes from a journal that only its component may write, its topic is not this installation's, or its value was too long to be kept.",
    remedy:
      'Leave it out. What stands in a journal cannot be mended there: find out who wrote it; a command can be sent anew by its sender.'
  },
  PARCOMOLO_MAIN_LOSS_REFUSED: {
    cause: 'The loss of this topic cannot be accepted: it is state of Parcomolo itself, or the log is not on Kafka.',
    remedy: 'Restore the topic from a copy, or begin anew with another KAFKA_PREFIX.'
  },
  PARCOMOLO_VIEW_STORE_UNAVAILABLE: {
    cause:
      "The read model's database does not answer, or its file cannot be opened or written: the folder is missing or read-only, or the disk is full.",
    remedy:
      'Look after the database, or make the data folder writable or make room. The read model is only a cache: nothing is lost, and it goes on by itself.'
  },
  PARCOMOLO_VIEW_STORE_REFUSED: {
    cause:
      "The read model's database answers, but cannot be used as it is: it is too old, or it refuses the user, the certificate, or the making of tables.",
    remedy: 'Do what the message says, in the database or in VIEW_DATABASE_URL, and start again.'
  },
  PARCOMOLO_VIEW_STORE_DAMAGED: {
    cause: "The read model's file is damaged: a row is not as it was written, or a page is not whole.",
    remedy:
      'None is needed: it is built anew from the journals at once, and orders are taken meanwhile. Look after the disk. Deleting view.sqlite does the same.'
  },
  PARCOMOLO_VIEW_STORE_WENT_BACK: {
    cause:
      "The read model's database lacks what this process had seen in it: its tables were dropped, a backup was brought back, its last writes were lost in a fail-over, or another installation on the same schema has emptied it.",
    remedy:
      'Nothing, if it was meant: the process opens it again, and folds what is missing. Give each installation a schema of its own in VIEW_DATABASE_URL.'
  },
  PARCOMOLO_VIEW_BEHIND: {
    cause:
      'Another replica has stored more in the shared read model than this one has folded, for longer than it waits.',
    remedy:
      'Repeat the request after the time in Retry-After. If it stays so, see what keeps this process from reading the log, or give it more of the processor.'
  },
  PARCOMOLO_VIEW_WAITERS_EXHAUSTED: {
    cause: 'As many writes, or as many reads, as waitersMax already wait for the read model.',
    remedy: 'Repeat the request after the time in Retry-After; with an Idempotency-Key that is always safe.'
  },
  PARCOMOLO_VIEW_DEFECT: {
    cause: 'The log or a fold broke a rule that the read model stands on.',
    remedy: 'Report it with the message; deleting the read model makes it fold the journals again.'
  },
  PARCOMOLO_OPERATOR_CONFIG: {
    cause: 'The operator finds no way to the API server of Kubernetes: no service account, or a broken kubeconfig.',
    remedy: 'Run it as a pod with a service account, or name a kubeconfig with a current context in KUBECONFIG.'
  },
  PARCOMOLO_OPERATOR_API_UNAVAILABLE: {
    cause: 'The API server of Kubernetes does not answer, is overloaded, or has a fault of its own.',
    remedy: 'None is needed: the operator tries again until it works. If it stays so, look after the API server.'
  },
  PARCOMOLO_OPERATOR_API_REFUSED: {
    cause: 'The API server of Kubernetes refuses a request: the right to it is missing, or the CRDs are not there.',
    remedy:
      "Give the operator's service account the rights of the chart, and install the CRDs of charts/parcomolo/crds."
  },
  PARCOMOLO_OPERATOR_OVERDUE: {
    cause: 'The log, the schema registry or the read model does not answer the operator.',
    remedy:
      'None is needed: the operator tries again until it works. If it stays so, look after what the message names.'
  },
  PARCOMOLO_OPERATOR_LEADERSHIP_LOST: {
    cause: 'Another operator leads now, or the Lease could not be renewed in time.',
    remedy: 'None is needed: the process ends, and is started again to wait for its turn.'
  },
  PARCOMOLO_CONFIG_INVALID: {
    cause:
      'An environment variable has a value that it cannot have, a name that nothing reads, or asks for what is not there yet.',
    remedy: "Each line of the message names one: correct or unset it; 'parcomolo config' lists all variables."
  },
  PARCOMOLO_CLI_USAGE: {
    cause: 'The command line names a command or an option that does not exist, or lacks an argument.',
    remedy: "'parcomolo help' lists the commands with their arguments."
  },
  PARCOMOLO_CLI_FILE_UNREADABLE: {
    cause: 'A file that the command line names does not exist or may not be read.',
    remedy: 'Check the path, which is taken from the folder that the command runs in.'
  },
  PARCOMOLO_CLI_TYPES_STALE: {
    cause: 'The TypeScript types in the project are not those of the contracts under sagas/participants.',
    remedy: "Run 'npm run generate' and commit what it writes."
  },
  PARCOMOLO_CLI_RESOURCES_STALE: {
    cause:
      'The schemas of resources or the tables of their fields are not what src/operator/crd gives, or a README has lost the comments that its table stands between.',
    remedy:
      "Run 'npm run generate' and commit what it writes; put the comments back first where the message names them."
  },
  PARCOMOLO_SAGA_DEFECT: {
    cause:
      'A saga instance was given a definition that is not its own, or a definition contradicts itself so that the engine does not come to rest.',
    remedy: 'Report it with the message; the task stops before anything wrong is written.'
  },
  PARCOMOLO_CLI_DEFECT: {
    cause: 'A command failed in a way that nobody has foreseen.',
    remedy: 'Run it again with --verbose, and report what it prints.'
  },
  PARCOMOLO_TASK_DEFECT: {
    cause: 'A component broke one of its own rules, such as an event that its contract does not name.',
    remedy: 'Report it with the message; the task stops before anything wrong is written.'
  }
} as const satisfies Record<string, { cause: string; remedy: string }>

export type ErrorCode = keyof typeof errorCodes
