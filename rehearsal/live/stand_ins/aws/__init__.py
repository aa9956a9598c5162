"""How does the emulated region answer a signed call? Who signed (`sessions`, `signature`), what is asked (`calls`), may
they (`judgement`), and then moto's answer or AWS's refusal (`gateway`); `pod_identity` hands credentials to pods.
"""
