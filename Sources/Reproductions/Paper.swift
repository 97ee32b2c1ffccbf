/// A paper whose method is, or will be, part of the package.
public struct Paper: Sendable, Codable, Hashable {
    public enum Status: String, Sendable, Codable {
        /// Not begun.
        case planned
        /// Parts of it work; what they are is said by its reproduction.
        case partial
        /// Its reproduction's checks all pass.
        case works
    }

    /// The name that `descent reproduce` takes.
    public let slug: String
    public let title: String
    /// arXiv identifier.
    public let arXiv: String
    /// The module that holds the method.
    public let module: String
    public let status: Status

    /// Every paper, by slug.
    public static let all: [Paper] = [
        Paper("adahessian", "ADAHESSIAN: An Adaptive Second Order Optimizer for Machine Learning",
              arXiv: "2006.00719", "Optimizers", .works),
        Paper("adasketch-newton", "Constrained Optimization via Exact Augmented Lagrangian and Randomized Iterative Sketching",
              arXiv: "2305.18379", "ConstrainedOptimization", .works),
        Paper("attention-svm", "Transformers as Support Vector Machines",
              arXiv: "2308.16898", "TrainingDynamics", .planned),
        Paper("bayesian-optimization", "A Tutorial on Bayesian Optimization",
              arXiv: "1807.02811", "BlackBoxOptimization", .planned),
        Paper("bibert", "BiBERT: Accurate Fully Binarized BERT",
              arXiv: "2203.06390", "BinarizedNetworks", .works),
        Paper("blockwise-bilevel", "Blockwise Stochastic Variance-Reduced Methods with Parallel Speedup for Multi-Block Bilevel Optimization",
              arXiv: "2305.18730", "BilevelOptimization", .planned),
        Paper("compositional-energy-models", "Learning Unnormalized Statistical Models via Compositional Optimization (MECO)",
              arXiv: "2306.07485", "GenerativeModels", .planned),
        Paper("consensus-based-optimization", "Gradient is All You Need?",
              arXiv: "2306.09778", "BlackBoxOptimization", .planned),
        Paper("consensus-trajectory-planning", "Safe and Real-Time Consistent Planning for Autonomous Vehicles in Partially Observed Environments via Parallel Consensus Optimization",
              arXiv: "2409.10310", "TrajectoryPlanning", .planned),
        Paper("convex-relu", "Efficient Global Optimization of Two-layer ReLU Networks: Quadratic-time Algorithms and Adversarial Training",
              arXiv: "2201.01965", "TrainingDynamics", .planned),
        Paper("deep-conjugate-direction", "A Deep Conjugate Direction Method for Iteratively Solving Linear Systems",
              arXiv: "2205.10763", "LearnedSolvers", .works),
        Paper("directional-sharpness", "Toward Understanding Why Adam Converges Faster Than SGD for Transformers",
              arXiv: "2306.00204", "Curvature", .works),
        Paper("double-descent", "Understanding the Role of Optimization in Double Descent",
              arXiv: "2312.03951", "TrainingDynamics", .planned),
        Paper("equilibrium-propagation", "Improving equilibrium propagation without weight symmetry through Jacobian homeostasis",
              arXiv: "2309.02214", "TrainingDynamics", .planned),
        Paper("exadam", "EXAdam: The Power of Adaptive Cross-Moments",
              arXiv: "2412.20302", "Optimizers", .works),
        Paper("f-distill", "One-step Diffusion Models with f-Divergence Distribution Matching (f-distill)",
              arXiv: "2502.15681", "GenerativeModels", .planned),
        Paper("flat-trajectory-distillation", "Minimizing the Accumulated Trajectory Error to Improve Dataset Distillation",
              arXiv: "2211.11004", "TrainingDynamics", .planned),
        Paper("fzoos", "Federated Zeroth-Order Optimization using Trajectory-Informed Surrogate Gradients (FZooS)",
              arXiv: "2308.04077", "BlackBoxOptimization", .planned),
        Paper("grokking", "Grokking at the Edge of Numerical Stability",
              arXiv: "2501.04697", "TrainingDynamics", .planned),
        Paper("learning-to-relax", "Learning to Relax: Setting Solver Parameters Across a Sequence of Linear System Instances",
              arXiv: "2310.02246", "LearnedSolvers", .works),
        Paper("light-schrodinger-bridge", "Light Schrödinger Bridge (LightSB)",
              arXiv: "2310.01174", "TransportMaps", .works),
        Paper("linear-mode-connectivity", "Analysis of Linear Mode Connectivity via Permutation-Based Weight Matching",
              arXiv: "2402.04051", "TrainingDynamics", .planned),
        Paper("lion-k", "Lion Secretly Solves Constrained Optimization: As Lyapunov Predicts",
              arXiv: "2310.05898", "Optimizers", .works),
        Paper("lv-hba", "Constrained Bi-Level Optimization: Proximal Lagrangian Value function Approach and Hessian-free Algorithm",
              arXiv: "2401.16164", "BilevelOptimization", .planned),
        Paper("matrix-completion", "Low Rank Matrix Completion via Robust Alternating Minimization in Nearly Linear Time",
              arXiv: "2302.11068", "MatrixRecovery", .works),
        Paper("matrix-sensing", "How Over-Parameterization Slows Down Gradient Descent in Matrix Sensing: The Curses of Symmetry and Initialization",
              arXiv: "2310.01769", "MatrixRecovery", .works),
        Paper("monge-gap", "The Monge Gap: A Regularizer to Learn All Transport Maps",
              arXiv: "2302.04953", "TransportMaps", .works),
        Paper("multi-fidelity-bo", "Multi-fidelity Bayesian Optimization in Engineering Design",
              arXiv: "2311.13050", "BlackBoxOptimization", .planned),
        Paper("multi-objective-gflownets", "Multi-Objective GFlowNets",
              arXiv: "2210.12765", "MultiobjectiveOptimization", .planned),
        Paper("multiobjective-pde", "Multiobjective Optimization of Non-Smooth PDE-Constrained Problems",
              arXiv: "2308.01113", "MultiobjectiveOptimization", .planned),
        Paper("notears-topological-swaps", "Optimizing NOTEARS Objectives via Topological Swaps",
              arXiv: "2305.17277", "StructureLearning", .planned),
        Paper("odice", "ODICE: Revealing the Mystery of Distribution Correction Estimation via Orthogonal-gradient Update",
              arXiv: "2402.00348", "ReinforcementLearning", .planned),
        Paper("opposing-signals", "Outliers with Opposing Signals Have an Outsized Effect on Neural Network Optimization",
              arXiv: "2311.04163", "TrainingDynamics", .planned),
        Paper("optimistic-omd", "Optimistic Online Mirror Descent for Bridging Stochastic and Adversarial Online Convex Optimization",
              arXiv: "2302.04552", "Optimizers", .works),
        Paper("pareto-domain-adaptation", "Pareto Domain Adaptation",
              arXiv: "2112.04137", "MultiobjectiveOptimization", .planned),
        Paper("parl", "PARL: A Unified Framework for Policy Alignment in Reinforcement Learning (from Human Feedback)",
              arXiv: "2308.02585", "BilevelOptimization", .planned),
        Paper("penalty-bilevel", "On Penalty Methods for Nonconvex Bilevel Optimization and First-Order Stochastic Approximation",
              arXiv: "2309.01753", "BilevelOptimization", .planned),
        Paper("rl-shape-optimization", "Investigation of reinforcement learning for shape optimization of profile extrusion dies",
              arXiv: "2212.12207", "ShapeOptimization", .planned),
        Paper("robust-matrix-recovery", "Global Convergence of Sub-gradient Method for Robust Matrix Recovery: Small Initialization, Noisy Measurements, and Over-parameterization",
              arXiv: "2202.08788", "MatrixRecovery", .works),
        Paper("robust-model-based-optimization", "Robust Model-Based Optimization for Challenging Fitness Landscapes (PPGVAE)",
              arXiv: "2305.13650", "BlackBoxOptimization", .planned),
        Paper("sparsity-constrained-ot", "Sparsity-Constrained Optimal Transport",
              arXiv: "2209.15466", "OptimalTransport", .works),
        Paper("target-surrogates", "Target-based Surrogates for Stochastic Optimization",
              arXiv: "2302.02607", "Optimizers", .planned),
        Paper("trace", "Trace is the New AutoDiff -- Unlocking Efficient Optimization of Computational Workflows",
              arXiv: "2406.16218", "WorkflowOptimization", .planned),
        Paper("trajectory-score-matching", "Dreamer XL: Towards High-Resolution Text-to-3D Generation via Trajectory Score Matching",
              arXiv: "2405.11252", "GenerativeModels", .planned),
        Paper("udim", "Unknown Domain Inconsistency Minimization for Domain Generalization (UDIM)",
              arXiv: "2403.07329", "TrainingDynamics", .planned),
    ]

    private init(_ slug: String, _ title: String, arXiv: String, _ module: String, _ status: Status) {
        self.slug = slug
        self.title = title
        self.arXiv = arXiv
        self.module = module
        self.status = status
    }
}
