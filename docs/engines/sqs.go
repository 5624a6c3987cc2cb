package engines

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/seed-205ff063/retry"
)

// Visibility makes one attempt of a message. After it, delete the message if done is true, or hide
// it until the next attempt. With an error, send it to the dead letters, then delete it. Receive
// messages with the system attribute ApproximateReceiveCount.
func Visibility(ctx context.Context, p *retry.Policy, queue string, m types.Message, fn func(context.Context, types.Message) error) (done bool, hide *sqs.ChangeMessageVisibilityInput, err error) {
	n, _ := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	run := p.Resume(ctx, retry.Attempt{Number: max(n-1, 0)})
	wait, again := run.Try(func(ctx context.Context) error { return fn(ctx, m) })
	if !again {
		return run.Err() == nil, nil, run.Err()
	}
	const longest = 12 * time.Hour // the limit of SQS
	seconds := math.Ceil(min(wait, longest).Seconds())
	return false, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: aws.String(queue), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: int32(seconds),
	}, nil
}
