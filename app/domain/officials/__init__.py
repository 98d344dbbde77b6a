"""近亲属备案: officials who work in social assistance and community cadres, and the near relatives they have declared.

When one of them or of their near relatives applies, the case is put on file separately, and the district visits the home itself
(最低生活保障审核确认办法 第十一条、第二十条).
"""
