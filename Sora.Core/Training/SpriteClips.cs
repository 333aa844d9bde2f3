using Sora.Training.SpriteWorld;

namespace Sora.Training;

/// <summary>Batches of the drawn world, each a pure function of its number: a training resumes by its step alone.</summary>
/// <param name="world">The world.</param>
/// <param name="fps">Frames a second.</param>
/// <param name="seed">The seed of the whole sequence.</param>
public sealed class SpriteClips(World world, double fps, ulong seed)
{
    /// <summary>Draws batch <paramref name="number"/>.</summary>
    /// <param name="number">Which batch.</param>
    /// <param name="shape">The clips' size.</param>
    /// <param name="count">How many clips.</param>
    public ClipBatch Draw(long number, ClipShape shape, int count)
    {
        int size = checked((int)(shape.Pixels * 3));
        var rgb = new byte[size * count];
        var captions = new string[count];
        for (int i = 0; i < count; i++)
        {
            ulong clipSeed = Mix(seed + ((ulong)number << 16) + (ulong)i);
            ClipDescription clip = world.SampleTraining(clipSeed);
            world.Render(clip, shape.Width, shape.Height, shape.Frames, fps, rgb.AsSpan(i * size, size));
            captions[i] = SpriteWorld.Captions.One(clip, clipSeed);
        }
        return new(rgb, captions, shape);
    }

    private static ulong Mix(ulong z)
    {
        z = (z + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
        return z ^ (z >> 31);
    }
}
