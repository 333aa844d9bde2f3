using System.Globalization;
using Sora.Continuation;
using Sora.Sampling;
using Sora.VideoVae;

namespace Sora;

/// <summary>What is done for speed or memory in a batch that changes its numbers.</summary>
/// <param name="Tiles">The tiles in which the autoencoder works, for each video.</param>
/// <param name="Cache">What the step caches skip.</param>
internal sealed record SpeedRecord(IReadOnlyList<SpatialTiles> Tiles, StepCacheCount Cache)
{
    /// <summary>That of resolved requests, with the tiles that the memory there is now asks for.</summary>
    public static SpeedRecord Of(IEnumerable<VideoRequest> requests, ModelComponents model)
    {
        long? available = model.MemoryForGeneration;
        return new([.. requests.Select(request => model.Cost.Tiles(WindowPlan.LargestOf(request, model.Limits), available))], new());
    }

    /// <summary>Tells, when it is done, what a person should know of it.</summary>
    public void Note(StageClock clock)
    {
        if (Cache.Evaluations > 0)
            clock.Note(string.Create(CultureInfo.InvariantCulture, $"The step cache skipped all blocks but the first at {Cache.Skipped} of {Cache.Evaluations} evaluations of the transformer."));
        for (int video = 0; video < Tiles.Count; video++)
        {
            if (!Tiles[video].IsWhole)
                clock.Note(string.Create(CultureInfo.InvariantCulture, $"The video decoder worked in {Tiles[video].Count} overlapping tiles."), video);
        }
    }
}
