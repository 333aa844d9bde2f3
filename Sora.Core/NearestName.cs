namespace Sora;

/// <summary>Finds the name that a mistyped one was probably meant to be.</summary>
internal static class NearestName
{
    /// <summary>
    /// The known name with the fewest edits from the given one, ignoring letter case; null where more than a third of
    /// the letters would have to change, since a guess that far off helps nobody.
    /// </summary>
    public static string? Find(string given, IEnumerable<string> known)
    {
        string? nearest = null;
        int fewest = int.MaxValue;
        foreach (string name in known)
        {
            int edits = Edits(given.ToUpperInvariant(), name.ToUpperInvariant());
            if (edits < fewest && edits * 3 <= Math.Max(given.Length, name.Length))
                (nearest, fewest) = (name, edits);
        }
        return nearest;
    }

    /// <summary>
    /// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other: the optimal
    /// string alignment distance (Damerau 1964), a row of its table at a time.
    /// </summary>
    private static int Edits(string from, string to)
    {
        int[] beforeLast = new int[to.Length + 1];
        int[] last = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int[] row = new int[to.Length + 1];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                row[j] = Math.Min(replaced, Math.Min(last[j], row[j - 1]) + 1);
                bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
                if (swapped)
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
            }
            (beforeLast, last) = (last, row);
        }
        return last[to.Length];
    }
}
