// Package retrynats handles the messages of NATS JetStream under a policy of package retry. The
// server keeps the messages. The policy decides which are tried again and when. Nothing is lost when
// a process or the server dies.
//
//	err := retrynats.Consume(ctx, js, consumer, send, retrynats.Config{
//		Policy:     retry.MustNew(retry.WithMaxAttempts(5)),
//		Workers:    8,
//		DeadLetter: "mail.dead",
//		State:      attempts, // a KeyValue bucket
//	})
//
// Each delivery of a message is one attempt. Classifiers and the marks [retry.Permanent] and
// [retry.After] work as in a call of retry.Do.
//
// # At least once
//
// A handler must be able to run twice for the same message. JetStream promises to deliver a message at
// least once, and so does this package. A message comes again although its work is done:
//
//   - if the process was killed before the acknowledgement;
//   - if the acknowledgement was lost;
//   - if the server forgot the acknowledgement in a crash.
//
// [Key] makes the repetition harmless. It is the same in every attempt of a message:
//
//   - work in a database: insert Key into a table of what is done, in the transaction that does the
//     work. Stop if it is there.
//   - work that publishes: set Key as the Nats-Msg-Id of what you publish. The server drops the
//     second copy. See the example of Key.
//   - work over HTTP: send Key as the Idempotency-Key.
//
// A dead letter with the error [ErrLost] may have been done too.
//
// # What the policy's settings do
//
//	WithMaxAttempts      attempts in all processes; lost ones count
//	WithMaxElapsed       since the first attempt; without State since the message was published
//	WithBackoff, Jitter  the delay of a NAK: the message waits on the server and holds no worker
//	WithAttemptTimeout   the deadline of the handler's context, which has no other
//	WithRetryIf, StopIf  as in a call; lost attempts are retried whatever they say
//	Permanent            dead letter, then TERM
//	After, hints         the delay of the NAK; above WithMaxRetryAfter a dead letter
//	WithBudget, Stop     a refusal is a dead letter
//	WithGate             each attempt passes it; a gate that waits holds its worker
//	WithHooks            Start runs for each delivery, Done when the message ends
//	WithLogger           as in a call: a record for each retry, and one at the end
//	WithHistory          as in a call; the history of an error has only the last attempt
//	WithResetAfter       as in a call; without State the number of attempts is not reset
//	WithValidator        an error of [Consume]: a handler returns no value
//	WithClock            of the attempt; waits between attempts are the server's
//
// A message ends with a permanent error, a panic, or when its attempts, time or budget are used up.
// It is published to [Config].DeadLetter until the server has stored it, and then terminated.
// [HeaderReason] says why.
//
// # State
//
// JetStream counts deliveries and nothing else. [Config].State makes the attempts exact. An attempt
// whose process died is then followed by the policy's wait, counted from its discovery. A delivery
// that comes before the wait has passed is sent back.
//
// State costs nothing for a message that succeeds at once. Otherwise it costs a request when the
// message comes again, one for each failure and one at the end.
//
// Without State each delivery counts as a failed attempt, even if a deployment cut it short. The wait
// before an attempt is not known, so Decorrelated does not grow.
//
// # Settings of the server
//
//   - Set AckPolicy to explicit and MaxDeliver to -1. Leave BackOff empty: it is added to the policy's
//     waits. Consume returns an error otherwise.
//   - AckWait is how long a dead process goes unnoticed. A handler may run longer, because Consume
//     sends InProgress every third of it. A few seconds suit most. Below one second a slow network
//     looks like a dead process.
//   - MaxAckPending bounds the messages that are handled and those that wait, together. Once so many
//     wait, no new message is delivered. Set it to the backlog of failing messages that you want to
//     allow. The server's default is 1000.
//   - Use replicas, for the streams and the bucket, if messages must survive the loss of a machine.
//
// # Pitfalls
//
//   - A server that is killed forgets what it has not written. If it forgets acknowledgements,
//     messages are repeated. If it forgets deliveries, attempts are counted from 1 again without
//     State.
//   - After a restart the server delivers up to a second early. With State such a message is sent
//     back. Without it the message is handled.
//   - A delivery that is lost on its way to a handler counts as a lost attempt. There is at most one
//     for each worker, unless [Config].Prefetch takes messages in advance.
//   - The clocks of the workers' machines should agree, because a wait is checked by the clock.
//   - A dead letter may be stored twice: the process may die before it terminates the message.
//     HeaderStream and HeaderSequence tell which dead letters are the same message.
//   - Each message is requested singly and acknowledged with a confirmation. The client's own Consume
//     with Ack does less. Config.Prefetch and Config.Unconfirmed save this work.
//   - If a stream is deleted and made again under its name, messages are told apart by the time when
//     they were stored.
//
// # What was measured
//
// 2,000 messages, 4 attempts, 31 % of the attempts failing, 3 processes with 8 workers each. One
// process is killed and started again. Then the server is restarted. In eleven runs of each kind
// nothing was missing, and every end could be derived from what the handlers wrote down. With State
// no attempt was early. Of 2,700 attempts, with State:
//
//   - At most 8 were lost: they ran in the killed process.
//   - At most 7 were lost on their way to a handler. The server had sent them to a process that was
//     killed, or over a connection that broke.
//   - None was repeated if the server was stopped by SIGTERM. Up to 73 were repeated if it was killed,
//     because it had forgotten the last acknowledgements.
//   - Up to 4 dead letters were stored twice, after the server was killed.
package retrynats
