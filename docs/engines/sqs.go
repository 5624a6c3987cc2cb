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

// Visibility makes one attempt of a message and says what to do with it: delete it, or hide it until
// the next attempt. Receive it with the system attribute ApproximateReceiveCount.
func Visibility(ctx context.Context, p *retry.Policy, queue string, m types.Message, fn func(context.Context, types.Message) error) (done bool, hide *sqs.ChangeMessageVisibilityInput, err error) {
	n, _ := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	run := p.Resume(ctx, retry.Attempt{Number: max(n-1, 0)})
	wait, again := run.Try(func(ctx context.Context) error { return fn(ctx, m) })
	if !again {
		return run.Err() == nil, nil, run.Err() // with an error: send it to the dead letters, then delete it
	}
	const most = 12 * time.Hour // SQS hides nothing for longer
	seconds := math.Ceil(min(wait, most).Seconds())
	return false, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: aws.String(queue), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: int32(seconds),
	}, nil
}
