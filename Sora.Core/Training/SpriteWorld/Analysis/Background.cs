using System.Numerics;

namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>Estimates the scene behind the subject, [H · W].</summary>
internal static class Background
{
    /// <summary>How far from its centre a subject is taken to reach, in lengths of its longer side.</summary>
    public const float Reach = 0.58f;

    /// <summary>Each row's median colour over all columns and frames: scenes vary mostly with the height.</summary>
    public static Vector3[] ByRows(FrameStack stack)
    {
        var background = new Vector3[stack.Width * stack.Height];
        var values = new float[stack.Width * stack.Frames.Length];
        for (int row = 0; row < stack.Height; row++)
        {
            var colour = Vector3.Zero;
            for (int channel = 0; channel < 3; channel++)
            {
                int count = 0;
                foreach (Vector3[] frame in stack.Frames)
                {
                    for (int column = 0; column < stack.Width; column++)
                        values[count++] = frame[(row * stack.Width) + column][channel];
                }

                Array.Sort(values);
                colour[channel] = values[count / 2];
            }

            background.AsSpan(row * stack.Width, stack.Width).Fill(colour);
        }

        return background;
    }

    /// <summary>
    /// Each pixel's mean over the frames in which the subject is elsewhere; by rows where it never is.
    /// </summary>
    /// <param name="stack">The frames.</param>
    /// <param name="sightings">Where the subject is, one a frame.</param>
    public static Vector3[] Around(FrameStack stack, IReadOnlyList<Sighting> sightings)
    {
        Vector3[] background = ByRows(stack);
        for (int i = 0; i < background.Length; i++)
        {
            float x = (i % stack.Width) + 0.5f, y = (i / stack.Width) + 0.5f;
            var sum = Vector3.Zero;
            int count = 0;
            for (int t = 0; t < stack.Frames.Length; t++)
            {
                float half = Reach * sightings[t].Extent * stack.ShortSide;
                float fromX = MathF.Abs(x - (sightings[t].X * stack.Width));
                float fromY = MathF.Abs(y - (sightings[t].Y * stack.Height));
                if (fromX < half && fromY < half)
                    continue;
                sum += stack.Frames[t][i];
                count++;
            }

            if (count > 0)
                background[i] = sum / count;
        }

        return background;
    }
}
