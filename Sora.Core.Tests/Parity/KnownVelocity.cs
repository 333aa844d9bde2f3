using Sora.Sampling;

namespace Sora.Tests.Parity;

/// <summary>A step along a velocity that a reference wrote down, for solvers that compute it once a step.</summary>
internal static class KnownVelocity
{
    public static Tensor Step(this ISolver solver, Tensor velocity, Tensor sample, int index) =>
        solver.Step((_, _) => velocity, sample, index);
}
