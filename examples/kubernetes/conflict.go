package kubernetes

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/seed-205ff063/retry"
)

// conflicts is for writers that meet at one object. The first wait is drawn from 0 to 20ms.
var conflicts = retry.MustNew(
	retry.WithName("update"),
	retry.WithMaxAttempts(10),
	retry.WithBackoff(retry.Exponential(20*time.Millisecond, 2)),
	retry.WithMaxDelay(time.Second),
	retry.WithRetryIf(retry.Match(apierrors.IsConflict)),
)

// Update reads the object, changes it, and writes it. After a conflict it reads again: the change must
// be made to the newest version, never to the one that lost.
func Update(ctx context.Context, c dynamic.ResourceInterface, name string, change func(*unstructured.Unstructured) error) error {
	return conflicts.Do(ctx, func(ctx context.Context) error {
		object, err := c.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := change(object); err != nil {
			return retry.Permanent(err)
		}
		_, err = c.Update(ctx, object, metav1.UpdateOptions{})
		return err
	})
}
