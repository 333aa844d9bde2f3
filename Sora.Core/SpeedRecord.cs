using System.Globalization;
using Sora.Sampling;
using Sora.VideoVae;

namespace Sora;

/// <summary>What is done for speed or memory in a batch that changes its numbers.</summary>
/// <param name="Tiles">The tiles in which the autoencoder works, for each video.</param>
/// <param name="Cache">What the step caches skip.</param>
internal sealed record SpeedRecord(IReadOnlyList<SpatialTiles> Tiles, StepCacheCount Cache)
{
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
