// Policies lets network policies hold: for every new connection of a pod the
// kernel asks it, by a queue that the testbed's packet filter fills, whether the
// policies of both ends allow it.
//
// It is the reference implementation of Kubernetes' network group as a program
// that runs beside the cluster instead of in a pod of it.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

// The kernel's list of queues that somebody reads, a line each.
const queues = "/proc/net/netfilter/nfnetlink_queue"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file with the cluster's address and certificates")
	node := flag.String("node", "", "name of the node whose pods it is for")
	queue := flag.Int("queue", 0, "number of the kernel's queue")
	table := flag.String("table", "", "name of the packet filter table that it keeps")
	health := flag.String("health", "", "address at which it says whether it reads the queue")
	flag.Parse()

	context, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go answer(*health, *queue)
	config := networkpolicy.Config{
		// Without policies, or without it, everybody may call everybody.
		FailOpen:    true,
		NodeName:    *node,
		QueueID:     *queue,
		NFTableName: *table,
	}
	if err := enforce(context, *kubeconfig, config); err != nil {
		klog.Fatal(err)
	}
}

func enforce(context context.Context, kubeconfig string, config networkpolicy.Config) error {
	cluster, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("failed to read %s: %w", kubeconfig, err)
	}
	cluster.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(cluster)
	if err != nil {
		return fmt.Errorf("failed to make a client: %w", err)
	}
	informers := informers.NewSharedInformerFactory(client, 0)
	controller, err := networkpolicy.NewController(
		client,
		informers.Networking().V1().NetworkPolicies(),
		informers.Core().V1().Namespaces(),
		informers.Core().V1().Pods(),
		nil, nil, nil, nil,
		config,
	)
	if err != nil {
		return fmt.Errorf("failed to make the controller: %w", err)
	}
	informers.Start(context.Done())
	return controller.Run(context)
}

// Says that it is well as soon as it reads the queue.
func answer(address string, queue int) {
	http.HandleFunc("/healthz", func(to http.ResponseWriter, _ *http.Request) {
		if !isRead(queue) {
			http.Error(to, "the queue is not read yet", http.StatusServiceUnavailable)
		}
	})
	klog.Fatal(http.ListenAndServe(address, nil))
}

func isRead(queue int) bool {
	list, _ := os.ReadFile(queues)
	for line := range bytes.Lines(list) {
		var found int
		if _, err := fmt.Sscan(string(line), &found); err == nil && found == queue {
			return true
		}
	}
	return false
}
