namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>Names the motion of a track of positions.</summary>
internal static class MotionRecognition
{
    private const float Still = 0.12f; // fractions of the frame: less is not a motion

    /// <summary>The motion that the track shows, among those allowed.</summary>
    public static Motion Recognise(IReadOnlyList<Sighting> track, IReadOnlyList<Motion> allowed)
    {
        float[] x = Smooth([.. track.Select(sighting => sighting.X)]);
        float[] y = Smooth([.. track.Select(sighting => sighting.Y)]);
        int turnsX = Turns(x), turnsY = Turns(y);
        float acrossX = Change(x), acrossY = Change(y);
        float growth = Change([.. track.Select(sighting => MathF.Log(sighting.Extent))]);

        // From the most particular to the least.
        if (allowed.Contains(Motion.Circles) && turnsX >= 1 && turnsY >= 1)
            return Motion.Circles;
        if (allowed.Contains(Motion.Bounces) && turnsY >= 2)
            return Motion.Bounces;
        if (MathF.Max(MathF.Abs(acrossX), MathF.Abs(acrossY)) > Still)
        {
            Motion towards = MathF.Abs(acrossX) > MathF.Abs(acrossY)
                ? (acrossX < 0f ? Motion.Left : Motion.Right)
                : (acrossY < 0f ? Motion.Up : Motion.Down);
            if (allowed.Contains(towards))
                return towards;
        }

        if (allowed.Contains(Motion.Bounces) && turnsY >= 1)
            return Motion.Bounces;
        if (allowed.Contains(Motion.Grows) && growth > 0.3f)
            return Motion.Grows;
        if (allowed.Contains(Motion.Shrinks) && growth < -0.3f)
            return Motion.Shrinks;
        return allowed.Contains(Motion.Rests) ? Motion.Rests : allowed[0];
    }

    /// <summary>The change over the whole track by the line of least squares.</summary>
    private static float Change(float[] values)
    {
        float middle = (values.Length - 1) / 2f, mean = values.Average(), product = 0f, square = 0f;
        for (int t = 0; t < values.Length; t++)
        {
            product += (t - middle) * (values[t] - mean);
            square += (t - middle) * (t - middle);
        }

        return square == 0f ? 0f : product / square * (values.Length - 1);
    }

    /// <summary>How often the direction changes, small wobbles aside.</summary>
    private static int Turns(float[] values)
    {
        int turns = 0, direction = 0;
        float extreme = values[0];
        foreach (float value in values)
        {
            if (direction * (value - extreme) > 0f)
            {
                extreme = value;
            }
            else if (MathF.Abs(value - extreme) > Still)
            {
                turns += direction == 0 ? 0 : 1;
                direction = Math.Sign(value - extreme);
                extreme = value;
            }
        }

        return turns;
    }

    /// <summary>The median of three: one frame in which the subject was missed does not count.</summary>
    private static float[] Smooth(float[] values) => [.. values.Select((value, t) =>
        t == 0 || t == values.Length - 1
            ? value
            : MathF.Max(MathF.Min(values[t - 1], value), MathF.Min(MathF.Max(values[t - 1], value), values[t + 1])))];
}
