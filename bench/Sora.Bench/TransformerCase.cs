using Sora.Estimation;
using Sora.Patches;
using Sora.Sampling;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Bench;

/// <summary>A transformer of random weights with an input of its size, ready to run.</summary>
internal sealed class TransformerCase : IDisposable
{
    private readonly IDisposable _noGradients = no_grad();
    private readonly DiffusionTransformer _network;
    private readonly TextContext _text;
    private readonly PackedSequence _sequence;
    private readonly TokenTimes _times;
    private readonly Tensor _patches;
    private readonly int _rows;

    /// <param name="config">The network.</param>
    /// <param name="grid">The patches of a clip.</param>
    /// <param name="clips">How many clips there are.</param>
    /// <param name="rows">The text's tokens.</param>
    public TransformerCase(WanTransformerConfig config, PatchGrid grid, int clips, int rows)
    {
        using DisposeScope scope = NewDisposeScope();
        (Config, Grid, Clips, _rows) = (config, grid, clips, rows);
        _network = new(config, new RepeatedParameters());
        _text = _network.Prepare(BenchDevice.Random([clips, rows, config.TextDim], "text")).Detach();
        _sequence = new(Enumerable.Repeat(grid, clips), config.AttentionHeadDim, BenchDevice.Current);
        _times = TokenTimes.PerClip(_sequence.Layout, [.. Enumerable.Repeat(700f, clips)]);
        _patches = BenchDevice.Random([(long)clips * grid.Count, config.InChannels * 4], "patches").DetachFromDisposeScope();
    }

    public WanTransformerConfig Config { get; }

    public PatchGrid Grid { get; }

    public int Clips { get; }

    /// <summary>Of one pass, without the text's keys and values, which are computed once a video.</summary>
    public double Operations => TransformerOperations.Evaluation(Config, Clips, Grid.Count, _rows, 0);

    /// <summary>The shapes of Wan 2.1 1.3B, with fewer blocks; tiny for a try.</summary>
    public static WanTransformerConfig Wan(bool quick, int blocks) => new()
    {
        NumAttentionHeads = quick ? 2 : 12,
        AttentionHeadDim = quick ? 64 : 128,
        InChannels = 16,
        OutChannels = 16,
        TextDim = quick ? 64 : 4096,
        FfnDim = quick ? 256 : 8960,
        NumLayers = quick ? 2 : blocks,
    };

    /// <summary>The shapes of the pocket model; one block for a try.</summary>
    public static WanTransformerConfig Pocket(bool quick) => new()
    {
        NumAttentionHeads = 4,
        AttentionHeadDim = 64,
        InChannels = 48,
        OutChannels = 48,
        TextDim = 128,
        FfnDim = 1024,
        FreqDim = 128,
        NumLayers = quick ? 1 : 8,
    };

    public void Forward() => Predict(_patches, _times, null).Dispose();

    /// <summary>The velocity of patches at a time.</summary>
    public Tensor Predict(Tensor patches, float time, StepCache? cache) =>
        Predict(patches, TokenTimes.PerClip(_sequence.Layout, [.. Enumerable.Repeat(time, Clips)]), cache);

    public void Dispose()
    {
        _patches.Dispose();
        _sequence.Dispose();
        _text.Dispose();
        _network.Dispose();
        _noGradients.Dispose();
    }

    private Tensor Predict(Tensor patches, TokenTimes times, StepCache? cache)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(_network.Forward(patches, times, _text, _sequence, cache));
    }
}
