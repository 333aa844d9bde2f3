using System.Text.Json;
using System.Text.Json.Nodes;
using Sora.Sampling;
using Sora.Weights;

namespace Sora.Tests.Parity;

/// <summary>The solver of a reference run, from the name and the config of the scheduler that made it.</summary>
internal static class ReferenceSolver
{
    public static ISolver Create(JsonElement run, StepNoise noise)
    {
        JsonElement config = run.GetProperty("config");
        int steps = run.GetProperty("num_inference_steps").GetInt32();
        string scheduler = run.GetProperty("scheduler").GetString()!.Split(' ')[0];
        double shift = Number(run, "shift_used", Number(config, "flow_shift", Number(config, "shift", 1)));
        int times = (int)Number(config, "num_train_timesteps", 1000);
        NoiseSchedule flow = run.TryGetProperty("sigmas_argument", out JsonElement sigmas)
            ? NoiseSchedule.FromSigmas([.. sigmas.EnumerateArray().Select(s => s.GetDouble())], shift, times)
            : NoiseSchedule.FlowMatchEuler(steps, shift, times);
        return scheduler switch
        {
            "FlowMatchEulerDiscreteScheduler" => new EulerSolver(flow),
            "FlowMatchHeunDiscreteScheduler" => new HeunSolver(flow),
            "FlowMatchLCMScheduler" => new LcmSolver(flow, noise),
            "UniPCMultistepScheduler" => UniPC(run, config, scheduler, steps),
            "DPMSolverMultistepScheduler" => Dpm(NoiseSchedule.Dpm(steps, shift, times, Text(config, "final_sigmas_type", "zero") == "zero"), config, noise),
            "FlowDPMSolverMultistepScheduler" => Dpm(NoiseSchedule.WanDpm(steps, shift, times), config, noise),
            _ => throw new InvalidDataException($"The scheduler {scheduler} is unknown."),
        };
    }

    private static DpmSolver Dpm(NoiseSchedule schedule, JsonElement config, StepNoise noise) => new(
        schedule,
        (int)Number(config, "solver_order", 2),
        Text(config, "solver_type", "midpoint") == "heun",
        Flag(config, "lower_order_final", true),
        Text(config, "algorithm_type", "dpmsolver++") == "sde-dpmsolver++" ? noise : null);

    // Through the config, as a model folder's solver is made.
    private static ISolver UniPC(JsonElement run, JsonElement config, string scheduler, int steps)
    {
        JsonObject fields = JsonObject.Create(config.Clone())!;
        fields["_class_name"] = scheduler;
        SchedulerConfig parsed = SchedulerConfig.Parse(fields.ToJsonString());
        bool legacy = run.GetProperty("key").GetString()!.Split('.')[0].EndsWith("_legacy", StringComparison.Ordinal);
        return Solvers.Create(parsed.Sampler, steps, parsed.Shift, parsed, legacy);
    }

    private static double Number(JsonElement fields, string name, double absent) =>
        fields.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : absent;

    private static string Text(JsonElement fields, string name, string absent) =>
        fields.TryGetProperty(name, out JsonElement value) ? value.GetString()! : absent;

    private static bool Flag(JsonElement fields, string name, bool absent) =>
        fields.TryGetProperty(name, out JsonElement value) ? value.GetBoolean() : absent;
}
