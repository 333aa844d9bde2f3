using System.Text.Json;
using Sora.Sampling;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>
/// A folder with runs of solvers along v = sin(3x) + t/10000. The reference counts evaluations of the velocity: its timesteps,
/// sigmas and trajectory are what the velocity is asked for, one after the other, and then the end.
/// </summary>
internal static class SolverParity
{
    public static void Run(string folder)
    {
        using IDisposable noGradients = no_grad();
        using var reference = new ReferenceCase(folder);
        Assert.NotEmpty(reference.Description.GetProperty("runs").EnumerateArray());
        foreach (JsonElement run in reference.Description.GetProperty("runs").EnumerateArray())
        {
            using DisposeScope scope = NewDisposeScope();
            Check(reference, run);
        }
    }

    private static void Check(ReferenceCase reference, JsonElement run)
    {
        string key = run.GetProperty("key").GetString()!;
        using ISolver solver = ReferenceSolver.Create(run, index => reference.Get("noise").select(0, index));
        var asked = new List<SamplingStep>();
        var trajectory = new List<Tensor>();
        Tensor final = FlowSampler.Sample(
            (x, step) =>
            {
                asked.Add(step);
                trajectory.Add(x.clone().DetachFromDisposeScope());
                return (x * 3).sin() + (0.1f * step.Time / 1000);
            },
            reference.Get("x0"), solver);
        trajectory.Add(final);
        Assert.Equal(solver.Evaluations(), asked.Count);

        reference.Close($"{key}.sigmas", tensor([.. asked.Select(step => step.Sigma), solver.Schedule.Sigmas[^1]]), reference.Tolerance("sigmas"));
        reference.Close($"{key}.timesteps", tensor([.. asked.Select(step => step.Time)]), TimeTolerance(reference, key));
        Assert.True(reference.Has($"{key}.trajectory") || reference.Has($"{key}.final"));
        if (reference.Has($"{key}.trajectory"))
            reference.Close($"{key}.trajectory", stack(trajectory), reference.Tolerance("trajectory"));
        if (reference.Has($"{key}.final"))
            reference.Close($"{key}.final", final, reference.Tolerance("trajectory"));
        foreach (Tensor sample in trajectory)
            sample.Dispose();
    }

    // Whole times are exact; the folder of UniPC and Euler names the two kinds after them.
    private static double TimeTolerance(ReferenceCase reference, string key)
    {
        bool whole = reference.Get($"{key}.timesteps").dtype == int64;
        bool byKind = reference.Description.GetProperty("tolerance_max_abs").TryGetProperty("timesteps_int", out _);
        return reference.Tolerance((whole, byKind) switch
        {
            (true, true) => "timesteps_int",
            (false, true) => "timesteps_float",
            (true, false) => "timesteps_unipc",
            (false, false) => "timesteps_euler",
        });
    }
}
