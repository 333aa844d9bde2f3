using Sora.Training.SpriteWorld;

namespace Sora.Training;

/// <summary>Clips of the drawn world, fresh ones for every step; shapes change from step to step.</summary>
internal sealed class WorldVaeBatches(World world, VaeTrainingConfig config) : IVaeBatches
{
    // Mostly pictures and short clips: the frames of one clip are alike, and many different ones teach more.
    private static readonly ClipShape[] s_shapes =
        [new(64, 64, 5), new(64, 64, 1), new(64, 64, 5), new(64, 64, 1), new(64, 64, 9), new(64, 64, 1), new(80, 48, 5), new(48, 80, 1), new(64, 64, 17)];

    private readonly SpriteClips _clips = new(world, 8, config.Seed);

    /// <inheritdoc/>
    public bool HasUnseen => true;

    /// <inheritdoc/>
    // Batches of four clips.
    public int Measured => 6;

    /// <inheritdoc/>
    public int Sampled => 40;

    /// <inheritdoc/>
    public ClipBatch Draw(long number)
    {
        ClipShape shape = s_shapes[number % s_shapes.Length];
        return _clips.Draw(number, shape, (int)Math.Max(1, config.PixelsPerStep / shape.Pixels));
    }

    /// <inheritdoc/>
    public ClipBatch DrawMeasured(int number) => DrawSampled(number);

    /// <inheritdoc/>
    // Numbers that training does not reach.
    public ClipBatch DrawSampled(int number) => _clips.Draw((1L << 40) + number, s_shapes[number % 3], 4);
}
