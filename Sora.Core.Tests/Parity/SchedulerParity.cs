using System.Text.Json;
using System.Text.Json.Nodes;
using Sora.Sampling;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>A folder with runs of solvers along v = sin(3x) + t/10000.</summary>
internal static class SchedulerParity
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
        JsonObject fields = JsonObject.Create(run.GetProperty("config").Clone())!;
        fields["_class_name"] = run.GetProperty("scheduler").GetString();
        SchedulerConfig config = SchedulerConfig.Parse(fields.ToJsonString());
        bool legacy = key.StartsWith("unipc_legacy", StringComparison.Ordinal);
        using ISolver solver = Solvers.Create(config.Sampler, run.GetProperty("num_inference_steps").GetInt32(), config.Shift, config, legacy);

        float[] sigmas = [.. solver.Schedule.Sigmas], times = [.. solver.Schedule.Times];
        reference.Close($"{key}.sigmas", tensor(sigmas), reference.Tolerance("sigmas"));
        reference.Close($"{key}.timesteps", tensor(times), reference.Tolerance(config.Sampler == Sampler.UniPC ? "timesteps_unipc" : "timesteps_euler"));

        List<Tensor> trajectory = [reference.Get("x0")];
        Tensor final = FlowSampler.Sample(Slope, trajectory[0], solver);
        solver.Start();
        for (int i = 0; i < times.Length; i++)
            trajectory.Add(solver.Step(Slope(trajectory[i], new(i, sigmas[i], times[i])), trajectory[i], i));
        Assert.True(reference.Has($"{key}.trajectory") || reference.Has($"{key}.final"));
        if (reference.Has($"{key}.trajectory"))
            reference.Close($"{key}.trajectory", stack(trajectory), reference.Tolerance("trajectory"));
        if (reference.Has($"{key}.final"))
            reference.Close($"{key}.final", trajectory[^1], reference.Tolerance("trajectory"));
        reference.Close($"{key} through the sampler", trajectory[^1], final, 0);
    }

    private static Tensor Slope(Tensor x, SamplingStep step) => (x * 3).sin() + (0.1f * step.Time / 1000);
}
