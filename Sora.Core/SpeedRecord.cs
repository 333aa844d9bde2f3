using System.Globalization;
using Sora.Sampling;
using Sora.VideoVae;

namespace Sora;

/// <summary>What is done for speed or memory in a generation that changes its numbers.</summary>
/// <param name="Tiles">The tiles in which the autoencoder works.</param>
/// <param name="Cache">What the step caches skip.</param>
internal sealed record SpeedRecord(SpatialTiles Tiles, StepCacheCount Cache)
{
    /// <summary>What a person should know of it when it is done, a sentence each.</summary>
    public IEnumerable<string> Notes
    {
        get
        {
            if (Cache.Evaluations > 0)
                yield return string.Create(CultureInfo.InvariantCulture, $"The step cache skipped all blocks but the first at {Cache.Skipped} of {Cache.Evaluations} evaluations of the transformer.");
            if (!Tiles.IsWhole)
                yield return string.Create(CultureInfo.InvariantCulture, $"The video decoder worked in {Tiles.Count} overlapping tiles.");
        }
    }
}
