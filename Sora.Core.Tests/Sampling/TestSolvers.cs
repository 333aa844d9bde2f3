using Sora.Sampling;
using Sora.Tests.Engine;
using Xunit;

namespace Sora.Tests.Sampling;

/// <summary>Every solver in every form, by name.</summary>
internal static class TestSolvers
{
    private static readonly Dictionary<string, Func<int, StepNoise, ISolver>> Forms = new()
    {
        ["euler"] = (steps, _) => new EulerSolver(NoiseSchedule.FlowMatchEuler(steps, 3)),
        ["heun"] = (steps, _) => new HeunSolver(NoiseSchedule.FlowMatchEuler(steps, 3)),
        ["unipc 1"] = (steps, _) => new UniPCSolver(NoiseSchedule.UniPC(steps, 3), 1),
        ["unipc 2"] = (steps, _) => new UniPCSolver(NoiseSchedule.UniPC(steps, 3)),
        ["unipc 3"] = (steps, _) => new UniPCSolver(NoiseSchedule.UniPC(steps, 3), 3),
        ["unipc bh1"] = (steps, _) => new UniPCSolver(NoiseSchedule.UniPC(steps, 3), linearScale: true),
        ["unipc legacy"] = (steps, _) => new UniPCSolver(NoiseSchedule.UniPC(steps, 3, legacy: true)),
        // Euler's levels start at sigma 1, where lambda is infinite.
        ["unipc from pure noise"] = (steps, _) => new UniPCSolver(NoiseSchedule.FlowMatchEuler(steps, 3), 3, linearScale: true),
        ["unipc full order"] = (steps, _) => new UniPCSolver(NoiseSchedule.UniPC(steps, 3), 3, lowerOrderFinal: false),
        ["dpm 1"] = (steps, _) => new DpmSolver(NoiseSchedule.Dpm(steps, 3), 1),
        ["dpm 2"] = (steps, _) => new DpmSolver(NoiseSchedule.Dpm(steps, 3)),
        ["dpm 2 heun"] = (steps, _) => new DpmSolver(NoiseSchedule.Dpm(steps, 3), trapezoid: true),
        ["dpm 3"] = (steps, _) => new DpmSolver(NoiseSchedule.Dpm(steps, 3), 3),
        ["dpm 3 from pure noise"] = (steps, _) => new DpmSolver(NoiseSchedule.WanDpm(steps, 3), 3, lowerOrderFinal: false),
        ["sde 1"] = (steps, noise) => new DpmSolver(NoiseSchedule.Dpm(steps, 3), 1, noise: noise),
        ["sde 2"] = (steps, noise) => new DpmSolver(NoiseSchedule.Dpm(steps, 3), noise: noise),
        ["sde 2 from pure noise"] = (steps, noise) => new DpmSolver(NoiseSchedule.WanDpm(steps, 3), noise: noise),
        ["lcm"] = (steps, noise) => new LcmSolver(NoiseSchedule.FlowMatchEuler(steps, 3), noise),
    };

    public static TheoryData<string> All => [.. Forms.Keys];

    public static TheoryData<string> Deterministic => [.. Forms.Keys.Where(name => !IsStochastic(name))];

    /// <summary>A solver of a shift of 3; the shape is that of the noise of stochastic ones.</summary>
    public static ISolver Create(string name, int steps, params long[] shape) =>
        Forms[name](steps, index => RandomTensor.Create((ulong)(1000 + index), shape));

    private static bool IsStochastic(string name) => name.StartsWith("sde", StringComparison.Ordinal) || name == "lcm";
}
