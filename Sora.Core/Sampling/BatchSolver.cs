using Sora.Conditioning;
using Sora.Latents;
using Sora.Weights;

namespace Sora.Sampling;

/// <summary>The solver of resolved requests that agree in it, and when it evaluates the velocity.</summary>
internal static class BatchSolver
{
    /// <summary>The solver of a packed batch. Where it adds noise between steps, each video's is a function of its own seed.</summary>
    public static ISolver Of(IReadOnlyList<VideoRequest> requests, ModelFolder model, Device device)
    {
        VideoRequest any = requests[0];
        return Solvers.Create(any.Sampler!.Value, any.Steps!.Value, any.Shift!.Value, model.Scheduler, noise: step =>
        {
            Tensor[] noise = [.. requests.Select(request => RequestNoise.OfStep(step, request, LatentShape.Of(request, model.Vae), device))];
            return new PackedSamples(noise).Join(noise);
        });
    }

    /// <summary>The steps at which the velocity is evaluated; a solver may do it several times a step, and for the leading channels of a source it is done before the first.</summary>
    public static SamplingStep[] StepsOf(VideoRequest request, ModelFolder model)
    {
        using ISolver solver = Of([request], model, CPU);
        int steps = solver.Schedule.Steps, start = SourceNoise.FirstStep(solver.Schedule, request.DraftStrength ?? request.Strength ?? 1);
        // A refinement goes on with the leading channels of its draft.
        int before = request.Draft is null ? SourceLead.Before(start, solver.Schedule, model.Scheduler.Lead)?.Steps ?? 0 : 0;
        return [.. Enumerable.Range(0, before).Select(solver.Schedule.At), .. Enumerable.Range(start, steps - start)
            .SelectMany(i => Enumerable.Repeat(solver.Schedule.At(i), solver.Evaluations(i) - (i + 1 < steps ? solver.Evaluations(i + 1) : 0)))];
    }
}
