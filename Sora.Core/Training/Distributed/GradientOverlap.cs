using Sora.Transformer;

namespace Sora.Training.Distributed;

/// <summary>Lets a transformer's gradients be exchanged block by block while its backward pass goes on.</summary>
internal static class GradientOverlap
{
    /// <summary>From now on every backward pass tells the exchange the blocks that it is done with.</summary>
    /// <param name="transformer">The network.</param>
    /// <param name="exchange">What is told.</param>
    /// <param name="trained">What is trained, under names that begin as the network's; null: all of the network's parameters.</param>
    public static void Begin(DiffusionTransformer transformer, IGradientExchange exchange, IReadOnlyDictionary<string, Parameter>? trained = null)
    {
        Parameter[][] blocks =
        [
            .. Enumerable.Range(0, transformer.Config.NumLayers)
                .Select(block => (trained ?? transformer.Parameters).Where(p => DiffusionTransformer.IsBehind(block, p.Key)).Select(p => p.Value).ToArray()),
        ];
        transformer.BlockDone = block =>
        {
            if (blocks[block].Length > 0)
                exchange.Ready(blocks[block]);
        };
    }
}
