namespace Sora;

/// <summary>
/// Which requests run as one packed batch. Their sizes, prompts, seeds, guidance and given frames may differ; what the solver
/// does may not: the sampler, the number of steps, the shift, the step cache, and with a source the steps that its strength leaves. A video in
/// windows and one with a draft run alone.
/// </summary>
internal static class PackedBatches
{
    /// <summary>
    /// The most patches, of all branches, in a batch of several videos. Matrix products of so many rows are as fast as they get, and
    /// a step is what a cancellation waits for.
    /// </summary>
    private const long MostTokens = 16_384;

    /// <summary>The batches, as places in the list, in the order of their first request; within a batch in the list's order.</summary>
    /// <param name="requests">Resolved requests.</param>
    /// <param name="most">The most videos in a batch.</param>
    /// <param name="tokens">The patches of a request, of all its branches.</param>
    /// <param name="fits">Whether several requests fit into memory together.</param>
    public static IReadOnlyList<IReadOnlyList<int>> Of(
        IReadOnlyList<VideoRequest> requests, int most, Func<VideoRequest, long> tokens, Func<IReadOnlyList<VideoRequest>, bool> fits)
    {
        var batches = new List<List<int>>();
        var open = new Dictionary<(Sampler?, int?, float?, int), (List<int> Places, long Tokens)>();
        for (int i = 0; i < requests.Count; i++)
        {
            VideoRequest request = requests[i];
            // Windows follow one another, a draft comes before its video, and which blocks a cache skips is for one video to say.
            if (request.IsInWindows || request.Draft is not null || request.StepCache is > 0)
            {
                batches.Add([i]);
                continue;
            }
            var way = (request.Sampler, request.Steps, request.Shift, StepsTaken(request));
            long own = tokens(request);
            if (open.TryGetValue(way, out (List<int> Places, long Tokens) batch)
                && batch.Places.Count < most
                && batch.Tokens + own <= MostTokens
                && fits([.. batch.Places.Select(place => requests[place]), request]))
            {
                batch.Places.Add(i);
                open[way] = (batch.Places, batch.Tokens + own);
                continue;
            }
            List<int> places = [i];
            batches.Add(places);
            open[way] = (places, own);
        }
        return batches;
    }

    private static int StepsTaken(VideoRequest request) => (int)(request.Steps!.Value * (request.Strength ?? 1));
}
