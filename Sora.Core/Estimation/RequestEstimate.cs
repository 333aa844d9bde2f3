using Sora.Continuation;
using Sora.Drafts;
using Sora.Sampling;

namespace Sora.Estimation;

/// <summary>What a whole request takes: its windows, its draft, and each of its prompts once.</summary>
internal static class RequestEstimate
{
    /// <summary>Estimates a resolved request.</summary>
    /// <param name="model">The model.</param>
    /// <param name="request">The request.</param>
    /// <param name="rate">Floating-point operations a second.</param>
    public static GenerationEstimate Of(ModelComponents model, VideoRequest request, double rate)
    {
        ModelLimits limits = model.Limits;
        VideoRequest[] windows = !request.IsInWindows ? [request]
            : [.. WindowPlan.Of(request, limits).Select(window => window.RequestOf(request, limits.TemporalStride, null))];
        VideoRequest largest = WindowPlan.LargestOf(request, limits);
        int branches = Guidance.BranchesOf(request);
        Work work = OfWindows(model, request, windows, branches);
        if (request.Draft is not null)
        {
            VideoRequest draft = DraftedRequest.DraftOf(request, limits);
            // Its prompts are the video's.
            work += OfWindows(model, draft, [draft], branches) with { Text = 0 };
        }
        long? available = model.MemoryForGeneration;
        IReadOnlyList<StageMemory> memory = model.Cost.Memory(largest, branches, available);
        return new()
        {
            Request = request,
            Windows = windows.Length,
            Tokens = model.Cost.Tokens(largest),
            Evaluations = work.Evaluations,
            TextEncoderOperations = work.Text,
            TransformerOperations = work.Transformer,
            DecoderOperations = work.Decoder,
            Memory = memory,
            PeakMemory = model.Cost.Peak(memory),
            AvailableMemory = available,
            VaeTiles = model.Cost.Tiles(largest, available).Count,
            OperationsPerSecond = rate,
        };
    }

    private static Work OfWindows(ModelComponents model, VideoRequest whole, VideoRequest[] windows, int branches)
    {
        SamplingStep[] steps = BatchSolver.StepsOf(whole, model.Folder);
        Guidance[] guidance = Guidance.Of(whole);
        (int Count, (double Text, double Transformer, double Decoder) Cost)[] lengths =
            [.. windows.GroupBy(window => window.FrameCount).Select(same => (same.Count(), model.Cost.Operations(same.First(), steps, guidance)))];
        int prompts = windows.Select(window => window.Prompt).Distinct().Count();
        return new(
            // Each prompt once, and under guidance the negative prompt.
            lengths[0].Cost.Text / branches * (prompts + branches - 1),
            lengths.Sum(same => same.Count * same.Cost.Transformer),
            // Latent frames that a window takes over are not decoded again.
            model.Cost.Operations(whole, [], guidance).Decoder,
            steps.Length * windows.Length);
    }

    private readonly record struct Work(double Text, double Transformer, double Decoder, int Evaluations)
    {
        public static Work operator +(Work a, Work b) =>
            new(a.Text + b.Text, a.Transformer + b.Transformer, a.Decoder + b.Decoder, a.Evaluations + b.Evaluations);
    }
}
