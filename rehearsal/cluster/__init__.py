"""Where do Kubernetes objects go with KUBERNETES=real? A real control plane per emulated EKS cluster, nodes by KWOK."""
