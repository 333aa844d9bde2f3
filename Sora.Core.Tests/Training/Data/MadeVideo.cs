using Sora.Frames;
using Sora.Tests.Frames;

namespace Sora.Tests.Training.Data;

/// <summary>Videos of several shots: a moving picture and its negative take turns.</summary>
internal static class MadeVideo
{
    public const int Width = 128;
    public const int Height = 72;

    /// <summary>Writes shots of the given numbers of frames.</summary>
    public static void Write(string path, int rate, params int[] shots)
    {
        using var writer = new VideoWriter(path, Width, Height, rate);
        int number = 0;
        for (int shot = 0; shot < shots.Length; shot++)
        {
            for (int i = 0; i < shots[shot]; i++)
                writer.Write(Frame(number++, shot));
        }
        writer.Complete();
    }

    /// <summary>Which shot a frame is nearer to, 0 or 1, when it shows the scene at any moment.</summary>
    public static int ShotOf(ReadOnlySpan<byte> rgb, int width, int height)
    {
        // Green is dark at the top and bright at the bottom, in the negative the other way round.
        int sum = 0;
        for (int x = 0; x < width; x++)
            sum += rgb[(x * 3) + 1] + (255 - rgb[(((height - 1) * width) + x) * 3 + 1]);
        return sum / (2 * width) < 128 ? 0 : 1;
    }

    private static byte[] Frame(int index, int shot)
    {
        byte[] rgb = TestClip.Frame(index, Width, Height);
        if (shot % 2 == 1)
        {
            for (int i = 0; i < rgb.Length; i++)
                rgb[i] = (byte)(255 - rgb[i]);
        }
        return rgb;
    }
}
