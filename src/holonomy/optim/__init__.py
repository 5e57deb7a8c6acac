"""Optimisers on manifolds: stochastic ones for torch training loops, and solvers of smooth problems."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "adagrad": ["RiemannianAdagrad"],
        "adam": ["RiemannianAMSGrad", "RiemannianAdam", "RiemannianAdamNc", "RiemannianAdamW"],
        "clipping": ["clip_riemannian_norm_"],
        "descent": ["ConjugateGradient", "GradientDescent"],
        "line_search": ["Armijo", "StrongWolfe"],
        "quasi_newton": ["LBFGS"],
        "registration": ["named_manifolds", "register_manifold"],
        "result": ["MinimizeResult"],
        "riemannian": ["RiemannianOptimizer"],
        "sgd": ["RiemannianSGD"],
        "solving": ["minimize"],
        "trust_region": ["TrustRegion"],
    },
)
